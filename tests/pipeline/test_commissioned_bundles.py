"""A bundle for one machine: its normaliser, its detector, its C, and the same network."""

import numpy as np
import pytest
from live_bundles import SENSOR, WORDS, make_bundle

from rnn_edge.engines.c_sensor import CSensor
from rnn_edge.engines.front_library import build_front_end
from rnn_edge.errors import BundleError, DataError
from rnn_edge.exporters.front_library import SENSOR_LIBRARY
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline import build_bundle
from rnn_edge.pipeline.bundle import Bundle, bundle_detector
from rnn_edge.pipeline.commission_bundle import commission_bundle
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.pipeline.recordings import read_recordings

INTEGER = SENSOR.replace('kind = "channels"', 'kind = "channels"\narithmetic = "integer"\n')


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("bundles") / "pump", INTEGER)


def machine(count=300, seed=1):
    """Normal operation of a machine that is not like those of the training."""
    return np.random.default_rng(seed).normal(size=(count, 2)) * [0.3, 0.1] + [2.0, -1.5]


def write(path, values):
    rows = [f"{k / 2},{a!r},{b!r}" for k, (a, b) in enumerate(values.tolist())]
    path.write_text("\n".join(["time,pressure,current", *rows]) + "\n")
    return path


def test_normaliser_detector_and_c_become_those_of_the_machine(bundle, tmp_path):
    values = machine()
    made, facts = commission_bundle(
        bundle, write(tmp_path / "a.csv", values), tmp_path / "own", samples=200
    )
    again = Bundle.open(tmp_path / "own")
    assert again.manifest == made.manifest
    front, before = (FrontEnd.load(b.file(FRONT_END)) for b in (again, bundle))
    np.testing.assert_allclose(front.normaliser.mean, values[:200].mean(axis=0), rtol=1e-3)
    np.testing.assert_allclose(front.normaliser.scale, values[:200].std(axis=0), rtol=1e-3)
    assert front.config == before.config
    frames = front.frames(values[:200])
    assert np.abs(frames.std(axis=0) - 1.0).max() < 0.01
    # What a device computes is what the host does.
    library = build_front_end(SENSOR_LIBRARY, again.model(), again.exports, tmp_path)
    found = CSensor(front.config, "pump", library)
    np.testing.assert_array_equal(front.quantize_input(found.push(values)) / 4096.0,
                                  front.frames(values))  # fmt: skip
    text = (again.exports / "c" / "pump_frontend.c").read_text()
    assert text != (bundle.exports / "c" / "pump_frontend.c").read_text()
    assert again.model().digest() == bundle.model().digest()
    assert bundle_detector(again, "int8").threshold != bundle_detector(bundle, "int8").threshold
    assert facts["samples"] == 200
    assert facts["thresholds"]["int8"] == bundle_detector(again, "int8").threshold
    # Doing it again gives the same bytes, and the first bundle is untouched.
    commission_bundle(bundle, tmp_path / "a.csv", tmp_path / "own", samples=200)
    assert Bundle.open(tmp_path / "own").manifest == made.manifest
    assert Bundle.open(bundle.path).manifest == bundle.manifest


def test_what_a_machine_cannot_be_commissioned_with_is_told(bundle, tmp_path):
    values = machine()
    path = write(tmp_path / "a.csv", values)
    out = tmp_path / "own"
    with pytest.raises(DataError, match="20 complete frames"):
        commission_bundle(bundle, path, out, samples=20)
    with pytest.raises(DataError, match="is the bundle itself"):
        commission_bundle(bundle, path, bundle.path)
    values[50:60, 1] = 300.0
    with pytest.raises(DataError, match=r"'current' is out of range, .* from -1.* to 300") as told:
        commission_bundle(bundle, write(tmp_path / "b.csv", values), out)
    assert "check its unit" in told.value.hint
    assert "mend" not in told.value.hint
    values = machine()
    values[50:, 1] = -1.5
    with pytest.raises(DataError, match=r"'current' is stuck, .* its values are") as told:
        commission_bundle(bundle, write(tmp_path / "c.csv", values), out)
    assert "mend the sensor" in told.value.hint
    assert "range_margin" not in told.value.hint
    short = write(tmp_path / "d.csv", machine(count=3))
    with pytest.raises(DataError, match=r"d\.csv has no recording long enough .* shorter than"):
        commission_bundle(bundle, short, out)
    assert not out.exists()


def test_normal_operation_needs_no_labels(bundle, tmp_path):
    spec = bundle.spec()
    labelled = spec.model_copy(
        update={"data": spec.data.model_copy(update={"label_columns": ("anomaly",)})}
    )
    path = write(tmp_path / "a.csv", machine())
    labels = bundle.model().labels
    features = FrontEnd.load(bundle.file(FRONT_END))
    with pytest.raises(DataError, match="has no column 'anomaly'"):
        read_recordings(labelled, features, labels, path, whole=True)
    found = read_recordings(labelled, features, labels, path, whole=True, is_normal=True)
    assert [len(each.values) for each in found.recordings] == [300]
    assert found.recordings[0].anomalous is None
    # Where there are labels, they count.
    rows = path.read_text().splitlines()
    marked = [f"{row},{'anomaly' if k == 0 else int(k == 7)}" for k, row in enumerate(rows)]
    path.write_text("\n".join(marked) + "\n")
    found = read_recordings(labelled, features, labels, path, whole=True, is_normal=True)
    assert np.flatnonzero(found.recordings[0].anomalous).tolist() == [6]


def test_keywords_are_not_commissioned(tmp_path):
    words = make_bundle(tmp_path / "word", WORDS)
    with pytest.raises(BundleError, match="spots keywords"):
        commission_bundle(words, tmp_path, tmp_path / "own")


def test_a_build_does_not_throw_a_machine_away(bundle, tmp_path):
    made, _ = commission_bundle(bundle, write(tmp_path / "a.csv", machine()), tmp_path / "own")
    for again in (True, False):
        with pytest.raises(BundleError, match="was commissioned for one machine") as told:
            build_bundle(made.spec(), made.path, progress=lambda *_: None, again=again)
        assert "another folder with --out" in told.value.hint
    assert Bundle.open(made.path).manifest == made.manifest
