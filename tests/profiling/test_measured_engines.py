"""Engines really measured on this machine, through the command line and by hand."""

import importlib.util
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from c_models import Recipe, build, frames
from html_page import Page
from live_bundles import WORDS, make_bundle
from untrained import SPEC, untrained_bundle

from rnn_edge.cli.main import run
from rnn_edge.engines.front_library import build_front_end
from rnn_edge.errors import EngineError
from rnn_edge.exporters.front_library import SOUND_LIBRARY
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import LogMelConfig
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.links.process import ProcessStream
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.pipeline.profile_engines import checksums
from rnn_edge.pipeline.proof import single
from rnn_edge.profiling import worker
from rnn_edge.profiling.subject import Subject
from rnn_edge.reference import IntegerReference

MODEL = Recipe(seed=6, kinds=("gru",), units=(64,), inputs=40, outputs=12)
"""Of the size that memory and start are promised for."""
STATIC_BYTES = 4 << 20
COLD_S = 0.020


@pytest.fixture
def subject(binary):
    with Subject(ProcessStream([str(binary)], "c"), "c") as opened:
        opened.load(frames(MODEL, 300))
        yield opened


def test_the_program_says_what_it_measures(subject):
    about = subject.about
    assert (about.dtype, about.inputs, about.version) == ("int16", 40, "")
    assert about.digest == build(MODEL).digest()[:32]
    assert 0 < about.clock.smallest_ns < 1_000_000
    assert 0 <= about.clock.reading_ns < 100_000


def test_the_program_gives_the_reference_s_bits_however_often(subject):
    expected = single(IntegerReference(build(MODEL)).run(frames(MODEL, 300)[None]))
    wanted = checksums(expected, list(expected.states))
    assert subject.trace() == wanted
    subject.round(123)
    assert subject.trace() == wanted


def test_memory_and_start_are_as_promised(subject):
    subject.round(1000)
    memory = subject.memory()
    assert 0 < memory.rss_bytes <= memory.peak_bytes <= STATIC_BYTES
    assert 32 <= memory.stack_bytes <= 4096
    starts = subject.cold(20)
    assert starts.shape == (20,)
    # Other processes take time away and never give some: the fastest start shows what it can do.
    assert 0 < np.min(starts) < COLD_S


def test_paced_frames_are_due_one_after_the_other(subject):
    found = subject.paced(20, 0.005)
    assert found.taken_s.shape == found.answered_s.shape == (20,)
    # None begins before it is due.
    assert np.all(found.answered_s >= found.taken_s)
    assert np.all(found.taken_s > 0)
    assert 0 < found.cpu_s < 20 * 0.005


def sensor_beside(subject, sensor, duration_s=0.2):
    """Measure energy while a sensor shows 1 W, and 3 W as soon as steps are taken."""
    ask = subject._ask

    def asked(command, *rest):
        sensor.write_text("3000000\n" if command.startswith("power ") else "1000000\n")
        return ask(command, *rest)

    subject._ask = asked
    try:
        return subject.energy(str(sensor), duration_s)
    finally:
        subject._ask = ask


def test_energy_is_what_steps_take_beyond_idling(subject, tmp_path):
    found = sensor_beside(subject, tmp_path / "power1_input")
    assert (found.idle_w, found.busy_w) == (1.0, 3.0)
    assert 0 < found.step_s < 0.01
    assert found.step_j == pytest.approx(2.0 * found.step_s)


def test_a_sensor_that_is_gone_is_told(subject, tmp_path):
    with pytest.raises(EngineError, match="sensor cannot be read"):
        subject.energy(str(tmp_path / "nothing"), 0.05)
    with pytest.raises(EngineError, match="expected at most 60000"):
        subject.energy(str(tmp_path / "nothing"), 61.0)


@pytest.mark.parametrize("command", ["round 0", "round 99999", "dance", "frames 0", "cold 9999"])
def test_commands_that_cannot_be_followed_are_refused_and_the_next_one_is_not(subject, command):
    with pytest.raises(EngineError, match="refuses"):
        subject._ask(command, 10.0)
    assert len(subject.round(5).taken_s) == 5


def test_the_program_ends_with_its_input_and_refuses_other_arguments(binary):
    done = subprocess.run([binary], input=b"about\n", capture_output=True, check=True, timeout=60)
    assert done.stdout.startswith(b"ok ")
    wrong = subprocess.run([binary, "--twice"], capture_output=True, check=False, timeout=60)
    assert wrong.returncode == 2
    assert b"usage:" in wrong.stderr
    once = subprocess.run([binary, "--once"], capture_output=True, check=True, timeout=60)
    assert once.stdout == b"!"


class Doubling(worker.Session):
    """A session without a runtime: the state counts frames."""

    version, dtype, inputs = "0", "int16", 2

    def __init__(self):
        self.states = {"h0": np.zeros(1, np.int16)}

        def step(frame):
            self.states["h0"] = self.states["h0"] + np.int16(1)
            return frame * np.int16(2)

        self.step = step


def test_the_worker_answers_as_the_program_does():
    said = []
    content = np.arange(4, dtype=np.int16).tobytes()
    script = b"round 3\nframes 2\n" + content + b"trace\nround 3\npaced 2 1000\nnonsense\nround 0\n"
    at = 0

    def receive(count):
        nonlocal at
        if at >= len(script):
            raise EOFError
        part = script[at : at + count]
        at += count
        return part

    worker.serve(worker.Server(Doubling(), []), receive, said.append)
    lines = [part.split(b"\n", 1)[0].decode() for part in said]
    assert lines[0] == "error expected frames first"
    assert lines[1] == "ok"
    outputs = np.arange(4, dtype=np.int16) * 2
    states = np.array([1, 2], np.int16)
    assert lines[2] == (
        f"ok outputs={zlib.crc32(outputs.tobytes()):08x} states={zlib.crc32(states.tobytes()):08x}"
    )
    assert lines[3].endswith("bytes=12")
    assert len(said[3].split(b"\n", 1)[1]) == 12
    assert re.fullmatch(r"ok cpu_ns=\d+ bytes=16", lines[4])
    assert lines[5:] == ["error unknown command", "error steps: expected 1 to 16384"]


KEYWORDS = SPEC.replace('cell = "lstm"', 'cell = "gru"')


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return untrained_bundle(tmp_path_factory.mktemp("bundle"), KEYWORDS)


@pytest.mark.slow
def test_the_command_measures_what_is_there(bundle, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="the page needs matplotlib")
    arguments = ["profile", bundle.path, "--rounds", "3", "--steps", "200", "--starts", "2"]
    code = run([*map(str, arguments), "--paced-seconds", "5", "--out", str(tmp_path), "--json"])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    result = json.loads(printed.out)
    assert json.loads((tmp_path / "profile.json").read_text()) == result
    page = (tmp_path / "profile.html").read_text()
    read = Page(page)
    read.require_closed()
    read.require_offline()
    rows = {each["engine"]: each for each in result["subjects"]}
    missing = {each["engine"]: each["reason"] for each in result["not_measured"]}
    for name, module in (("litert", "ai_edge_litert"), ("onnx", "onnxruntime")):
        is_there = importlib.util.find_spec(module) is not None
        assert (name in rows) == is_there
        assert (name in missing) != is_there
    assert rows["c"]["bits"] == "equal"
    for name, row in rows.items():
        assert row["bits"] == ("float" if name in ("litert-float", "onnx") else row["bits"])
        assert row["bits"] != "differ", name
        assert row["step_us"]["p50"]["value"] <= row["step_us"]["p99"]["value"]
        assert sum(row["histogram"]["counts"]) == 600
        assert row["title"] in page
        assert row["paced"]["steps"] == 3 * int(5 * result["frame_rate_hz"] / 3)
    if "litert" in rows:
        c, litert = (rows[name]["memory"]["rss_bytes"] for name in ("c", "litert"))
        assert c * 4 < litert


@pytest.mark.slow
def test_the_command_says_it_in_words(bundle, capsys):
    arguments = ["profile", str(bundle.path), "--engines", "c", "--rounds", "2", "--steps", "50"]
    assert run([*arguments, "--starts", "0", "--paced-seconds", "0"]) == 0
    text = capsys.readouterr().out
    assert "exported C, int8" in text
    assert "LiteRT" not in text
    assert "not available" in text
    assert text.splitlines()[-1].endswith("no interpreter was measured beside it")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--engines", "c,tensorflow"], "'tensorflow'; known are c, litert"),
        (["--host", "x", "--emulate", "armv7"], "exclude each other"),
        (["--rounds", "1"], "expected a whole number from 2"),
        (["--emulate", "mips"], "'mips' is not one of"),
    ],
)
def test_wrong_command_lines_are_refused(options, expected, capsys, tmp_path):
    assert run(["profile", str(tmp_path), *options]) == 2
    assert expected in capsys.readouterr().err


def test_a_bundle_that_is_not_there_is_told(capsys, tmp_path):
    assert run(["profile", str(tmp_path / "nothing")]) == 1
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.slow
def test_an_engine_that_was_named_and_is_not_there_fails(bundle, capsys, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else found(name)
    )
    assert run(["profile", str(bundle.path), "--engines", "c,onnx", "--rounds", "2"]) == 1
    assert "Package onnxruntime is not installed" in capsys.readouterr().err


def test_the_worker_watches_a_sensor_too(tmp_path):
    sensor = tmp_path / "power1_input"
    sensor.write_text("1500000\n")
    server = worker.Server(Doubling(), [])
    server.answer("frames 2", lambda count: bytes(count))
    for command in ("power", "idle"):
        fields, content = server.answer(f"{command} 60 {sensor}", lambda count: b"")
        found = dict(field.split("=") for field in fields.split())
        assert (found["microwatts"], content) == ("1500000", b"")
        assert (int(found["steps"]) > 0) == (command == "power")
    sensor.write_text("?")
    with pytest.raises(worker.RefusedError, match="sensor cannot be read"):
        server.answer(f"idle 60 {sensor}", lambda count: b"")


def test_several_hops_at_once_are_the_same_frames(tmp_path):
    front_end = FrontEnd(LogMelConfig(), ("pcm",), 16000.0, Normaliser(np.zeros(40), np.ones(40)))
    front_end.save(tmp_path / "front_end.npz")
    samples = np.random.default_rng(2).integers(-9000, 9000, (12, 320)).astype(np.int16)
    single_hops, four = (
        worker.FrontEndSession(str(tmp_path / "front_end.npz"), hops) for hops in (1, 4)
    )
    expected = np.concatenate([single_hops.step(hop) for hop in samples])
    found = [four.step(hop) for hop in samples]
    assert [each is None for each in found] == [True, True, True, False] * 3
    assert np.array_equal(np.concatenate([each for each in found if each is not None]), expected)
    # What the model takes: int16, at the scale of its input.
    assert expected.dtype == np.int16
    assert np.array_equal(expected / 4096, front_end.frames(samples.reshape(-1)))


def test_a_front_end_of_integers_is_measured_in_c(tmp_path):
    kind = 'kind = "log-mel"'
    bundle = make_bundle(tmp_path / "word", WORDS.replace(kind, f'{kind}\narithmetic = "integer"'))
    model = bundle.model()
    library = build_front_end(SOUND_LIBRARY, model, bundle.exports, tmp_path)
    path = bundle.file(FRONT_END)
    session = worker.FrontEndSession(str(path), 1, (str(library), model.name))
    assert session.version == worker.C_FRONT_END
    samples = np.random.default_rng(2).integers(-9000, 9000, (12, 320)).astype(np.int16)
    found = np.concatenate([session.step(hop) for hop in samples])
    front_end = FrontEnd.load(path)
    expected = front_end.quantize_input(front_end.raw_frames(samples.reshape(-1)))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
def test_the_command_measures_a_front_end_of_integers(tmp_path, capsys):
    kind = 'kind = "log-mel"'
    words = WORDS.replace(kind, f'{kind}\narithmetic = "integer"')
    bundle = make_bundle(tmp_path / "word", words)
    arguments = ["profile", str(bundle.path), "--engines", "c,front-end", "--rounds", "2"]
    assert run([*arguments, "--steps", "50", "--starts", "1", "--paced-seconds", "1"]) == 0
    text = capsys.readouterr().out
    assert "audio front end (exported C)" in text
    assert "the C with the audio front end (exported C) before it, 5 hops at once: " in text


def test_the_worker_is_a_file_that_needs_nothing_of_this_package():
    text = Path(worker.__file__).read_text()
    imports = [line for line in text.splitlines() if line.startswith(("import ", "from "))]
    assert not [line for line in imports if "rnn_edge" in line]
    done = subprocess.run(
        [sys.executable, "-I", worker.__file__, "litert", "/nowhere"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
