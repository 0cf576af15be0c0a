"""An application that makes its frames of raw rows: masks, faults, alarms, gaps, a restart."""

import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from c_models import WARNINGS, succeed, tool
from hearing_programs import CODE
from sensing_programs import (
    CHANNELS,
    FRONT,
    MODEL,
    RULE,
    WIDTH,
    decided,
    export,
    frames_of_rows,
    rows,
    sensing,
)

from rnn_edge.firmware.app_config import APP_CONFIG, app_config_header
from rnn_edge.firmware.link import build_link_program
from rnn_edge.firmware.program import LINK, config_header
from rnn_edge.links.application import Mode, Origin, SampleKind, Samples
from rnn_edge.links.client import LinkClient
from rnn_edge.links.messages import LogFlag
from rnn_edge.links.process import ProcessStream
from rnn_edge.reference import IntegerReference
from rnn_edge.reference.decisions import IntegerRule
from rnn_edge.resources import data_folder

HERE = Path(__file__).parent
TEMPLATES = data_folder("firmware_templates")
SANITIZERS = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
RING = 16
RECORD = np.dtype(
    [("flags", "u1"), ("label", "u1"), ("score", "<u4"), ("x", "<i2", WIDTH), ("y", "<i2", WIDTH)]
)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sensing")
    sources = sorted(export(folder).iterdir())
    compiler = [tool("cc")]
    return build_link_program(compiler, MODEL, sources, folder / "work", SANITIZERS, sensing())


def fed(client, raw):
    records = []
    for at in range(0, len(raw), 90):
        client.feed_samples(raw[at : at + 90])
        deadline = time.monotonic() + 60
        while client.status().heard.waiting:
            assert time.monotonic() < deadline
        records += client.log(records[-1].step + 1 if records else 0)
    return records


def test_a_device_says_of_rows_what_its_twins_say(program):
    raw = rows(900)
    x, flags, _ = frames_of_rows(raw)
    expected = decided(RULE, x, flags)
    labels = {change.label for change in expected.changes}
    # An alarm, and faults of sensors beside it.
    assert 1 in labels
    assert len(labels) >= 3
    with LinkClient(ProcessStream([str(program)], "Program"), 5.0) as client:
        client.open()
        assert client.about().samples == Samples(SampleKind.ROWS, CHANNELS, RING, 50.0, 9)
        client.set_mode(Mode.FED)
        records = fed(client, raw)
        events = [(e.step, e.has_begun, e.label, e.score) for e in client.event_log()]
    np.testing.assert_array_equal([r.x for r in records], x)
    np.testing.assert_array_equal([r.y for r in records], expected.outputs)
    np.testing.assert_array_equal([r.label for r in records], expected.labels)
    np.testing.assert_array_equal([r.score for r in records], expected.scores)
    wanted = [(c.step, c.has_begun, c.label, c.score) for c in expected.changes]
    assert events == wanted[-128:]


def test_behind_a_restart_the_state_goes_on_and_the_alarm_warms_up(program):
    raw = rows(400, seed=4)
    cut = 200
    x, flags, (half,) = frames_of_rows(raw, (cut,))
    y = IntegerReference(MODEL).run(x[None]).outputs[0]
    rule, left_out = IntegerRule(RULE), np.tile((flags & 0x08) != 0, (1, 2))
    first = rule.update(x[:half], y[:half], left_out[:half])
    rule.settle()
    second = rule.update(x[half:], y[half:], left_out[half:])
    with LinkClient(ProcessStream([str(program)], "Program"), 5.0) as client:
        client.open()
        client.set_mode(Mode.FED)
        before = fed(client, raw[:cut])
        client.restart()
        client.open()
        assert client.about().origin is Origin.RAM
        client.set_mode(Mode.FED)
        behind = fed(client, raw[cut:])
    assert LogFlag.RESTORED in behind[0].flags
    np.testing.assert_array_equal([r.x for r in before + behind], x)
    np.testing.assert_array_equal([r.y for r in before + behind], y)
    np.testing.assert_array_equal([r.score for r in before], first.scores)
    np.testing.assert_array_equal([r.score for r in behind], second.scores)
    assert second.scores.any()


@pytest.mark.slow
def test_behind_a_gap_state_and_alarm_begin_anew(tmp_path):
    folder = export(tmp_path)
    (folder / "rnn_edge_config.h").write_text(config_header(MODEL))
    (folder / APP_CONFIG).write_text(app_config_header(sensing()))
    code = [path for path in folder.glob("*.c") if path.name != f"{MODEL.name}.c"]
    code += [TEMPLATES / name for name in LINK if name.endswith(".c")]
    include = [f"-I{folder}", *(f"-I{TEMPLATES / name}" for name in ("app", "link", "service"))]
    binary = tmp_path / "rows"
    flags = [*WARNINGS, *SANITIZERS, *include]
    succeed(tool("cc"), *flags, HERE / "row_probe.c", *code, *CODE, "-o", binary)
    raw = rows(600, seed=6)
    done = subprocess.run([binary], input=raw.tobytes(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    found = np.frombuffer(done.stdout, RECORD)
    kept = np.ones(len(raw), bool)
    # Every 50 rows the ring is filled at once, and the row behind its last one is lost.
    at = 0
    while at < len(raw):
        if at % 50 == 40 and at + RING + 1 <= len(raw):
            at += RING
            kept[at] = False
        at += 1
    pieces = (np.cumsum(kept)[~kept]).tolist()
    assert len(pieces) > 5
    x, seen, gaps = frames_of_rows(raw[kept], pieces)
    expected = decided(RULE, x, seen, gaps)
    np.testing.assert_array_equal(found["x"], x)
    np.testing.assert_array_equal(found["y"], expected.outputs)
    np.testing.assert_array_equal(found["label"], expected.labels)
    np.testing.assert_array_equal(found["score"], expected.scores)
    is_new = np.flatnonzero(found["flags"] & LogFlag.RESET)
    assert is_new.tolist() == [0, *gaps]
    assert all(found["flags"][gap] & LogFlag.DROPPED for gap in gaps)
    assert FRONT.config.hop_samples < RING
