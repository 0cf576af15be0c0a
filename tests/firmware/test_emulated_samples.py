"""From raw samples to decisions on emulated processors, by the program that measures it."""

import importlib
import sys
from pathlib import Path

import hearing_programs
import pytest
import sensing_programs
from untrained import SPEC, untrained_bundle

from rnn_edge.errors import MissingDependencyError
from rnn_edge.exporters.c_source import sources_in
from rnn_edge.firmware.device_program import device_program
from rnn_edge.firmware.footprint import footprint
from rnn_edge.pipeline.device_app import app_config, with_front_end
from rnn_edge.pipeline.device_image import build_device_image
from rnn_edge.spec import all_devices

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
DEVICES = ("qemu-m0", "qemu-m4")
SECONDS, ROWS = 6, 900


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield importlib.import_module("decisions_on_device")
    del sys.modules["decisions_on_device"]


def heard(benchmark):
    pcm = hearing_programs.sound(8000 * SECONDS, seed=9)
    x = hearing_programs.frames_of_sound(pcm)
    return pcm, x, hearing_programs.expected_of_frames(x)


def sensed(benchmark):
    raw = sensing_programs.rows(ROWS, seed=9)
    x, flags, _ = sensing_programs.frames_of_rows(raw)
    return raw, x, sensing_programs.decided(sensing_programs.RULE, x, flags)


CASES = {
    "sound": (hearing_programs, hearing_programs.hearing, heard),
    "rows": (sensing_programs, sensing_programs.sensing, sensed),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", DEVICES)
def test_samples_become_the_decisions_of_the_host(name, case, benchmark, tmp_path):
    source, make_app, make = CASES[case]
    samples, x, wanted = make(benchmark)
    events = [(c.step, c.has_begun, c.label, c.score) for c in wanted.changes]
    assert len(events) >= 4
    expected = benchmark.Expected(x, wanted.outputs, wanted.labels, wanted.scores, events)
    device, app = all_devices()[name], make_app(log_records=16)
    sources = sorted(source.export(tmp_path).iterdir())
    try:
        made = device_program(device, source.MODEL, sources, tmp_path / "work", app)
        found = benchmark.measured(device, made, app, samples, expected)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    assert found.differing == dict.fromkeys(found.differing, 0)
    assert (found.samples, found.frames) == (len(samples), len(x))
    # What is known before: no use of the stack goes beyond, and little is left over.
    assert found.stack_bytes <= found.stack_bound_bytes <= found.stack_bytes + 320
    assert min(found.front_end, found.model, found.decision) > 0


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    spec = SPEC.replace('kind = "channels"', 'kind = "channels"\narithmetic = "integer"')
    return untrained_bundle(tmp_path_factory.mktemp("sensing"), spec)


@pytest.mark.slow
def test_a_bundle_on_a_device_decides_as_on_the_host(bundle, benchmark, tmp_path):
    """The whole way: data of a spec, its detector, its image."""
    try:
        device = all_devices()["qemu-m4"]
        config = app_config(bundle).samples
        assert (config.values, config.ring) == (6, 16)
        dataset = benchmark.read_dataset(bundle.spec(), None)
        front_end = benchmark.FrontEnd.load(bundle.file(benchmark.FRONT_END))
        samples = benchmark.sensed(dataset, front_end.config, 1200)
        expected, rows = benchmark.measure(bundle, samples, [device], tmp_path)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    assert expected.events
    assert rows[0].is_equal
    image = build_device_image(bundle, device)
    assert image.flash_bytes == rows[0].flash_bytes


@pytest.mark.slow
def test_what_a_device_needs_counts_the_front_end(tmp_path):
    device, model = all_devices()["qemu-m4"], hearing_programs.MODEL
    exports = tmp_path
    hearing_programs.export(exports)
    sources = sources_in(model, exports)
    app = hearing_programs.hearing()
    try:
        deaf = footprint(device, model, sources, hearing_programs.hearing(samples=None))
        hears = footprint(device, model, with_front_end(sources, app, model.name, exports), app)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    # A transform of 128 points, its window and its bands; 160 samples of two bytes.
    assert hears.variables["rnn_edge_front"] >= 4 * 130 + 2 * 120
    assert hears.variables["rnn_edge_sample_ring"] >= 320
    assert hears.constants_bytes > deaf.constants_bytes + 1000
    assert hears.code_bytes > deaf.code_bytes + 1000
    assert hears.program_bytes > deaf.program_bytes + 300
    assert 500 < hears.stack_bytes <= device.memory.stack_bytes
    assert "rnn_edge_front" not in deaf.variables
