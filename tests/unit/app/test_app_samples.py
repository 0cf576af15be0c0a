"""An application that hears: samples in, frames of the twin, gaps, restarts, the link."""

import subprocess
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from app_programs import FEW
from c_models import WARNINGS, succeed, tool
from hearing_programs import (
    BANDS,
    CODE,
    LEVELS,
    MODEL,
    PLAIN,
    expected_of_frames,
    export,
    frames_of_sound,
    front_end,
    hearing,
    samples_of,
    sound,
)
from link_lines import FaultyStream

from rnn_edge.errors import LinkError
from rnn_edge.firmware.app_config import APP_CONFIG, AppConfig, app_config_header
from rnn_edge.firmware.link import build_link_program
from rnn_edge.firmware.program import LINK, config_header
from rnn_edge.links.application import Found, Mode, Origin, SampleKind, Samples
from rnn_edge.links.client import LinkClient
from rnn_edge.links.frames import Frame, Parser
from rnn_edge.links.messages import ANSWER, Kind, LogFlag, Status
from rnn_edge.links.process import ProcessStream
from rnn_edge.resources import data_folder

HERE = Path(__file__).parent
TEMPLATES = data_folder("firmware_templates")
INCLUDE = [f"-I{TEMPLATES / name}" for name in ("app", "link", "service")]
SANITIZERS = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
HOP = PLAIN.hop_samples


def exported(folder, config=PLAIN, app=None):
    path = export(folder, config)
    (path / "rnn_edge_config.h").write_text(config_header(MODEL))
    (path / APP_CONFIG).write_text(app_config_header(app or hearing(config)))
    return path


def built(folder, app, config=PLAIN):
    sources = sorted(export(folder, config).iterdir())
    return build_link_program([tool("cc")], MODEL, sources, folder / "work", SANITIZERS, app)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return built(tmp_path_factory.mktemp("hearing"), hearing())


def started(path, *arguments):
    return ProcessStream([str(path), *arguments], "Program")


def heard(client, pcm, records=None):
    """Feed sound in pieces of any size, and return what the log holds of all of it."""
    records = [] if records is None else records
    rng = np.random.default_rng(len(pcm))
    at = 0
    while at < len(pcm):
        count = int(rng.integers(1, 30 * HOP))
        client.feed_samples(pcm[at : at + count])
        at += count
        settled(client)
        records += client.log(records[-1].step + 1 if records else 0)
    return records


def settled(client):
    deadline = time.monotonic() + 60
    while client.status().heard.waiting:
        assert time.monotonic() < deadline
    return client.status()


def require_equal(records, expected):
    np.testing.assert_array_equal([r.y for r in records], expected.outputs)
    np.testing.assert_array_equal([r.label for r in records], expected.labels)
    np.testing.assert_array_equal([r.score for r in records], expected.scores)


def test_a_device_that_hears_decides_with_the_bits_of_its_twins(program):
    pcm = sound(20_000)
    x = frames_of_sound(pcm)
    expected = expected_of_frames(x)
    assert len(expected.changes) >= 4
    assert len(np.unique(x, axis=0)) > 150
    with LinkClient(started(program), 5.0) as client:
        client.open()
        said = client.about()
        assert said.samples == Samples(SampleKind.SOUND, 1, 160, 8000.0, 7)
        assert Kind.SAMPLES in client.capabilities().kinds
        client.set_mode(Mode.FED)
        records = heard(client, pcm)
        np.testing.assert_array_equal([r.x for r in records], x)
        require_equal(records, expected)
        events = [(e.step, e.has_begun, e.label, e.score) for e in client.event_log()]
        assert events == [(c.step, c.has_begun, c.label, c.score) for c in expected.changes]
        status = client.status()
        assert (status.frames, status.dropped) == (len(x), 0)
        found = status.heard
        assert (found.samples, found.lost, found.gaps) == (len(pcm), 0, 0)
        assert 1 <= found.most_waiting <= 160


def test_finished_frames_go_the_way_they_always_did(program):
    x = frames_of_sound(sound(4000, seed=8))
    with LinkClient(started(program), 5.0) as client:
        client.open()
        client.set_mode(Mode.FED)
        client.feed(x)
        while client.status().waiting:
            pass
        require_equal(client.log(), expected_of_frames(x))


def test_it_holds_on_a_line_that_damages_bytes(program):
    pcm = sound(5000, seed=5)
    x = frames_of_sound(pcm)
    line = FaultyStream(started(program), 1, 0.002)
    with LinkClient(line, 0.05, 200) as client:
        client.open()
        client.set_mode(Mode.FED)
        client.feed_samples(pcm)
        settled(client)
        assert line.faults
        assert client.statistics.retries
        assert client.status().heard.samples == len(pcm)
        require_equal(client.log(), expected_of_frames(x))


def test_a_host_that_takes_the_model_over_has_a_front_end_at_its_start(program):
    pcm = sound(3000)
    x = frames_of_sound(pcm)
    with LinkClient(started(program), 5.0) as client:
        client.open()
        client.set_mode(Mode.FED)
        client.feed_samples(pcm[: HOP + 7])
        client.set_mode(Mode.HOST)
        client.reset()
        client.set_mode(Mode.FED)
        steps = client.counters().steps
        client.feed_samples(pcm)
        settled(client)
        require_equal(client.log(steps), expected_of_frames(x))


@pytest.mark.slow
@pytest.mark.parametrize("config", [PLAIN, LEVELS], ids=["plain", "levels"])
def test_a_restart_is_a_gap_of_which_levels_know_nothing(config, tmp_path):
    """The samples of the frame under way are lost; what was learned of the room is not."""
    app = hearing(config)
    path = built(tmp_path, app, config)
    pcm = sound(12_000, seed=6)
    cut = 6000 + 33
    twin = front_end(config)
    stream = twin.stream()
    first = twin.quantize_input(stream.push(pcm[:cut])).astype(np.int16)
    stream.reset()
    second = twin.quantize_input(stream.push(pcm[cut:])).astype(np.int16)
    expected = expected_of_frames(np.concatenate([first, second]))
    with LinkClient(started(path), 5.0) as client:
        client.open()
        client.set_mode(Mode.FED)
        records = heard(client, pcm[:cut])
        client.restart()
        client.open()
        about = client.about()
        assert (about.origin, about.found) == (Origin.RAM, Found.HAS_RAM)
        client.set_mode(Mode.FED)
        again = heard(client, pcm[cut:])
        assert LogFlag.RESTORED in again[0].flags
    np.testing.assert_array_equal([r.x for r in records + again], np.concatenate([first, second]))
    require_equal(records + again, expected)


@pytest.mark.slow
def test_what_another_front_end_remembered_is_left_alone_and_told(tmp_path):
    """Same model, same size of a record: only the key of the front end is another one."""
    memory = tmp_path / "memory"
    pcm = sound(6000, seed=6)
    paths = []
    for key in (7, 8):
        app = hearing(LEVELS, retain_every=0, samples=samples_of(LEVELS, key=key))
        folder = tmp_path / str(key)
        folder.mkdir()
        paths.append(built(folder, app, LEVELS))
    state = ("--state", str(memory))
    with LinkClient(started(paths[0], *state), 5.0) as client:
        client.open()
        client.set_mode(Mode.FED)
        heard(client, pcm)
        client.save()
    with LinkClient(started(paths[1], *state), 5.0) as client:
        client.open()
        about = client.about()
        assert about.origin is Origin.FLASH
        assert Found.OTHER_FRONT in about.found
        client.set_mode(Mode.FED)
        found = np.array([r.x for r in heard(client, pcm)])
    np.testing.assert_array_equal(found, frames_of_sound(pcm, LEVELS))
    with LinkClient(started(paths[0], *state), 5.0) as client:
        client.open()
        assert Found.OTHER_FRONT not in client.about().found
        client.set_mode(Mode.FED)
        found = np.array([r.x for r in heard(client, pcm)])
    assert (found != frames_of_sound(pcm, LEVELS)).any()


SESSION = 78


def asked(stream, *frames):
    """Send requests as they are, one by one, and return status and content of each answer."""
    parser, found = Parser(), []
    for number, frame in enumerate(frames, 1):
        stream.write(frame.pack(), 5.0)
        deadline = time.monotonic() + 60
        while len(found) < number and time.monotonic() < deadline:
            parts = parser.feed(stream.read(1.0))
            found += [part for part in parts if part.type == ANSWER | frame.type]
    return [(Status(f.payload[0]), f.payload[1:]) for f in found]


def test_requests_that_cannot_be_are_refused(program):
    values = np.arange(400, dtype="<i2")
    stream = started(program)
    with closing(stream):
        answers = asked(
            stream,
            Frame(Kind.OPEN, SESSION, 0, b"\1"),
            Frame(Kind.SAMPLES, SESSION, 1, values[:5].tobytes()),
            Frame(Kind.MODE, SESSION, 2, bytes([Mode.FED])),
            Frame(Kind.SAMPLES, SESSION, 3, values[:5].tobytes()[:-1]),
            Frame(Kind.SAMPLES, SESSION, 4, values[:250].tobytes()),
            Frame(Kind.SAMPLES, SESSION, 5, b""),
        )
    found = [status for status, _ in answers]
    good, bad = Status.OK, Status.BAD_REQUEST
    assert found == [good, Status.OUT_OF_PLACE, good, bad, good, good]
    # As many as the ring has room for.
    assert np.frombuffer(answers[4][1], "<u2").tolist() == [160, 0]


def test_a_host_hands_over_what_the_device_takes(program, app_program):
    with LinkClient(started(program), 5.0) as client:
        client.open()
        client.set_mode(Mode.FED)
        for wrong in (np.zeros(5, np.float32), np.zeros((5, 1), np.int16), np.zeros(5, np.int32)):
            with pytest.raises(LinkError, match=r"Samples: .*; expected int16 \(5,\)"):
                client.feed_samples(wrong)
        client.feed_samples(np.zeros(0, np.int16))
    with LinkClient(started(app_program), 5.0) as client:
        client.open()
        assert client.about().samples is None
        assert client.status().heard is None
        with pytest.raises(LinkError, match="takes no raw samples"):
            client.feed_samples(np.zeros(5, np.int16))


def test_samples_in_pieces_a_full_ring_and_modes(tmp_path):
    folder = exported(tmp_path)
    code = [path for path in folder.glob("*.c") if path.name != f"{MODEL.name}.c"]
    code += [TEMPLATES / name for name in LINK if name.endswith(".c")]
    flags = [*WARNINGS, *SANITIZERS]
    binary = tmp_path / "samples"
    succeed(
        tool("cc"),
        *flags,
        f"-I{folder}",
        *INCLUDE,
        HERE / "sample_probe.c",
        *code,
        *CODE,
        "-o",
        binary,
    )
    pcm = sound(4000)
    x = frames_of_sound(pcm)
    frames = succeed(binary, input=pcm.tobytes())
    np.testing.assert_array_equal(np.frombuffer(frames, np.int16).reshape(-1, BANDS), x)
    # With a gap: a window behind the ring's samples, the whole again, and what is fed at the end.
    done = subprocess.run([binary, "gap"], input=pcm.tobytes(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    found = np.frombuffer(done.stdout, np.int16).reshape(-1, BANDS)
    twin = front_end().stream()
    twin.push(pcm)
    ring = 160
    between = front_end().quantize_input(twin.push(pcm[:ring])).astype(np.int16)
    fed = frames_of_sound(pcm[:ring])
    np.testing.assert_array_equal(found, np.concatenate([x, between, x, fed]))


@pytest.mark.parametrize("level", ["-O0", "-O3"])
@pytest.mark.parametrize("values", [1, 3])
def test_a_ring_between_two_threads_loses_nothing_that_it_does_not_tell(values, level, tmp_path):
    folder = exported(tmp_path, app=hearing(samples=replace(samples_of(), values=values, ring=96)))
    binary = tmp_path / "ring"
    sources = [HERE / "sample_threads.c", TEMPLATES / "app" / "rnn_edge_sample_ring.c"]
    flags = [*WARNINGS, "-D_XOPEN_SOURCE=700", level, "-pthread", f"-I{folder}", *INCLUDE]
    succeed(tool("cc"), *flags, *sources, "-o", binary)
    succeed(binary, timeout=60)


@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4"])
def test_it_compiles_for_a_microcontroller_without_a_warning(core, tmp_path):
    folder = exported(tmp_path, LEVELS)
    flags = [*WARNINGS, "-Wmissing-prototypes", f"-mcpu={core}", "-mthumb", "-Os", "-ffreestanding"]
    include = [f"-I{folder}", *INCLUDE, f"-I{TEMPLATES / 'baremetal' / 'freestanding'}"]
    code = [TEMPLATES / name for name in LINK if name.endswith(".c")]
    front = folder / f"{MODEL.name}_frontend.c"
    succeed(tool("arm-none-eabi-gcc"), *flags, *include, "-c", *code, *CODE, front, cwd=tmp_path)


def test_a_device_that_does_not_hear_is_made_of_what_it_always_was():
    header = app_config_header(FEW)
    assert "SAMPLE" not in header
    assert app_config_header(AppConfig(samples=None)) == app_config_header(AppConfig())
