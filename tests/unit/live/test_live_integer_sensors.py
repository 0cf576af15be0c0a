"""A stream of sensor rows in integers: missing, stuck and impossible values, gaps and restarts."""

import json

import numpy as np
import pytest
from live_bundles import SENSOR, make_bundle

from rnn_edge.engines.c_sensor import CSensor
from rnn_edge.engines.front_library import build_front_end
from rnn_edge.errors import EngineError
from rnn_edge.exporters.front_library import SENSOR_LIBRARY
from rnn_edge.features.fixed_point import IntegerWindowConfig, IntegerWindows
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.live.counts import Counts
from rnn_edge.live.faults import FaultTracker
from rnn_edge.live.opening import SourceRequest, open_lane, open_source
from rnn_edge.live.rows import BadRowError, RowFormat, RowReader
from rnn_edge.live.saved import read_state
from rnn_edge.live.source import RecordedSource
from rnn_edge.live.stream import Stream, StreamOptions
from rnn_edge.live.told import Teller
from rnn_edge.pipeline.material import FRONT_END

INTEGER = SENSOR.replace(
    'kind = "channels"',
    'kind = "channels"\narithmetic = "integer"\nhold_samples = 3\nfault_samples = 4\n'
    "stuck_samples = 6\n",
)
WINDOWS = f"{INTEGER}window_samples = 5\nhop_samples = 2\n"


@pytest.fixture(scope="module", params=[INTEGER, WINDOWS], ids=["samples", "windows"])
def bundle(request, tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("sensors") / "pump", request.param)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("plain") / "pump", INTEGER)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Where what is compiled is kept from test to test."""
    return tmp_path_factory.mktemp("work")


def rows(count=300, seed=0):
    """Values with all that is wrong with values."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(-4, 4, (count, 2))
    values[40:42, 0] = values[100:110] = np.nan
    values[150:170, 1] = 2.0
    values[200:203, 0], values[220:240, 1] = 1e5, -1e300
    values[rng.random(values.shape) < 0.05] = np.nan
    return values


def csv(path, values, times=None):
    times = np.arange(len(values)) / 2.0 if times is None else times
    cells = [[f"{t:.1f}", *("" if np.isnan(v) else repr(v) for v in row)] for t, row in
             zip(times, values.tolist(), strict=True)]  # fmt: skip
    path.write_text("\n".join(["time,pressure,current", *(",".join(c) for c in cells)]) + "\n")
    return path


class Kept:
    def __init__(self):
        self.events = []

    def send(self, event):
        self.events.append(json.loads(json.dumps(event)))

    def close(self):
        pass


def run(bundle, path, work, engine="c", source=None, **options):
    lane, tell = open_lane(bundle, engine, work), Teller(lambda line: None)
    request = SourceRequest((str(path),), is_fast=True)
    source = source or open_source(bundle, lane.parts.front_end, request, tell)
    kept, seen = Kept(), []
    stream = Stream(lane, source, [kept], None, StreamOptions(**options), Counts(), tell)
    stream.on_frame = lambda step, stepped: seen.append(stepped)
    state = options.get("state")
    stream.begin(read_state(state) if state else None)
    stream.run()
    return seen, kept.events, stream.summary()


def test_the_c_and_its_twin_see_the_same(bundle, work, tmp_path):
    path, front = csv(tmp_path / "a.csv", rows()), FrontEnd.load(bundle.file(FRONT_END))
    twin = front.stream()
    expected = front.quantize_input(twin.push(rows()))
    skipped = front.skipped_features(twin.flags)
    found = []
    for engine, kind in (("c", CSensor), ("int8", IntegerWindows)):
        with open_lane(bundle, engine, work) as lane:
            assert type(lane.parts.samples) is kind
        seen, events, summary = run(bundle, path, work, engine)
        np.testing.assert_array_equal(np.stack([each.x for each in seen]), expected)
        none = np.zeros(2, np.bool_)
        left_out = [none if each.left_out is None else each.left_out for each in seen]
        np.testing.assert_array_equal(left_out, skipped)
        # By twos there is no end of what is found wrong.
        assert summary["sensor_faults"] >= 4
        assert summary["gaps"] == summary["bad_lines"] == 0
        assert summary["held_values"] == int(np.isnan(rows()).sum())
        found.append([(e["event"], e["label"], e["step"], e.get("cause")) for e in events
                      if e["event"].startswith("fault")])  # fmt: skip
    assert found[0] == found[1]
    assert {each[3] for each in found[0]} >= {"missing", "stuck", "out of range"}


def test_what_a_stream_remembers_is_of_either(bundle, work, tmp_path):
    front, values = FrontEnd.load(bundle.file(FRONT_END)), rows()
    library = build_front_end(SENSOR_LIBRARY, bundle.model(), bundle.exports, work)
    hop = front.config.hop_samples
    whole = front.stream()
    expected = whole.push(values)
    makers = [front.stream, lambda: CSensor(front.config, "pump", library)]
    for at in (0, 1, 41, 105, 156, 230):
        found = []
        for first in makers:
            for second in makers:
                one, two = first(), second()
                done = one.push(values[:at])
                two.push(values[7:70])
                two.recall(one.memory())
                rest = two.push(values[len(done) * hop :])
                found.append(np.concatenate([done, rest]).tobytes())
        assert set(found) == {expected.tobytes()}
    with pytest.raises(ValueError, match="another front end"):
        makers[1]().recall({"levels": np.zeros(2)})


def test_a_reset_is_a_gap_in_either(bundle, work, tmp_path):
    front, values = FrontEnd.load(bundle.file(FRONT_END)), rows(seed=3)
    library = build_front_end(SENSOR_LIBRARY, bundle.model(), bundle.exports, work)
    found = []
    for stream in (front.stream(), CSensor(front.config, "pump", library)):
        parts, flags = [], []
        for begin, end in ((0, 104), (104, 155), (155, 155), (155, 300)):
            parts.append(stream.push(values[begin:end]))
            flags.append(stream.flags)
            stream.reset()
        found.append(np.concatenate(parts).tobytes() + np.concatenate(flags).tobytes())
    assert found[0] == found[1]


def test_a_stream_that_is_cut_decides_as_one_that_is_not(bundle, work, tmp_path):
    path, blobs, told = csv(tmp_path / "a.csv", rows()), [], []
    for cuts in ((None,), (51, 3, None)):
        state, events = tmp_path / f"{len(cuts)}.state", []
        for steps in cuts:
            events += run(bundle, path, work, state=state, steps=steps)[1]
        blobs.append(read_state(state))
        told.append([(e["event"], e["label"], e["step"]) for e in events
                     if e["event"] in ("fault", "fault-end", "begin", "end")])  # fmt: skip
    whole, cut = blobs
    assert whole.step == cut.step
    assert whole.blob == cut.blob
    assert {n: v.tolist() for n, v in whole.front.items()} == {
        n: v.tolist() for n, v in cut.front.items()
    }
    assert told[0] == told[1]


def test_few_missing_rows_are_missing_values_and_more_are_a_gap(plain, work, tmp_path):
    values, times = rows(60, 5), np.arange(60) / 2.0
    values[:] = np.where(np.isnan(values), 1.0, values)
    # Three rows are missing before row 20, four before row 40.
    times[20:] += 3 / 2
    times[40:] += 4 / 2
    seen, _, summary = run(plain, csv(tmp_path / "a.csv", values, times), work)
    assert (summary["frames"], summary["gaps"], summary["missing_rows"]) == (63, 1, 7)
    left_out = [k for k, each in enumerate(seen) if each.left_out is not None
                and each.left_out.all()]  # fmt: skip
    assert left_out == [20, 21, 22]
    # Behind the gap all is as at the beginning of a stream.
    again = run(plain, csv(tmp_path / "b.csv", values[40:]), work)[0]
    assert [each.y.tolist() for each in seen[43:]] == [each.y.tolist() for each in again]
    assert [each.score for each in seen[43:]] == [each.score for each in again]


class Lossy(RecordedSource):
    """Rows of which some do not come."""

    name = "lossy"

    def __init__(self, values, lost):
        super().__init__(2.0, is_paced=False, repeat=1)
        self._values, self._lost = values, lost

    def one_pass(self, skip):
        for k in range(skip, len(self._values)):
            if k not in self._lost:
                yield self._values[k : k + 1], k, False

    def length(self):
        return len(self._values)


def test_rows_that_were_lost_are_as_rows_that_are_missing(plain, work, tmp_path):
    values = np.random.default_rng(2).uniform(-4, 4, (50, 2))
    source = Lossy(values, {10, 11, 12, *range(30, 34)})
    seen, _, summary = run(plain, "", work, source=source)
    assert (len(seen), summary["gaps"]) == (50 - 4, 1)
    assert [k for k, each in enumerate(seen) if each.left_out is not None] == [10, 11, 12]


def test_rows_keep_their_holes_where_somebody_wants_them():
    form = RowFormat(("a", "b"), 1.0, ",", "t", "number", hold_rows=2)
    reader = RowReader(form, "x")
    assert reader.rows(b"t,a,b") == []
    found = [reader.rows(line) for line in (b"0,,1", b"1,2,nan", b"4,3,4", b"8,3,4", b"")]
    told = [[(row.tolist(), gap) for row, gap in each] for each in found]
    assert [len(each) for each in told] == [1, 1, 3, 1, 0]
    assert str(told[0]) == "[([nan, 1.0], False)]"
    assert str(told[2][:2]) == "[([nan, nan], False), ([nan, nan], False)]"
    assert [each[-1][1] for each in told[:4]] == [False, False, False, True]
    assert (reader.held, reader.missing) == (2, 2 + 3)
    assert reader.rows(b"9,inf,-1e300")[0][0].tolist() == [1e18, -1e18]
    # Without, a cell before which there was no value makes no row.
    with pytest.raises(BadRowError, match="none was before"):
        RowReader(RowFormat(("a", "b"), 1.0), "x").row(b",1")
    with pytest.raises(BadRowError, match="beyond"):
        RowReader(RowFormat(("a", "b"), 1.0), "x").row(b"inf,1")


def test_faults_begin_and_end_once():
    tracker = FaultTracker(("a", "b"))
    flags = np.array([[0x0F, 0], [0x10, 0x30], [0x50, 0x20], [0, 0x28], [0, 0]], np.uint8)
    events = [[(e["event"], e["label"], e.get("cause"), e.get("frames")) for e in
               tracker.update(7 + k, each)] for k, each in enumerate(flags)]  # fmt: skip
    assert events == [
        [],
        [("fault", "a", "missing", None), ("fault", "b", "missing, stuck", None)],
        [],
        [("fault-end", "a", None, 2)],
        [("fault-end", "b", None, 3)],
    ]
    assert tracker.count == 2
    tracker.update(20, flags[2])
    again = FaultTracker(("a", "b"))
    again.recall(tracker.memory())
    assert again.active == {"a": 20, "b": 20}
    again.update(30, flags[4])
    assert again.memory() == {}


def test_a_library_of_another_front_end_is_told(plain, work, tmp_path):
    front = FrontEnd.load(plain.file(FRONT_END))
    library = build_front_end(SENSOR_LIBRARY, plain.model(), plain.exports, work)
    with pytest.raises(EngineError, match="does not load"):
        CSensor(front.config, "other", library)
    values = {n: getattr(front.config, n) for n in front.config.__dataclass_fields__}
    other = IntegerWindowConfig(**values | {"window_samples": 9})
    with pytest.raises(EngineError, match=r"another front end.*9"):
        CSensor(other, "pump", library)
