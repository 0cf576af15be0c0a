"""Devices as engines: what is missing is named, boards are reached and given back."""

import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from c_models import Recipe, build, export, frames, tool
from link_lines import EndedStream, ScriptedStream
from random_models import Shape, source

from rnn_edge.engines import board
from rnn_edge.engines.base import EngineSource, all_engines, engines_here
from rnn_edge.engines.board import Place, answering, baud_of, open_port
from rnn_edge.errors import DeviceError, EngineError, LinkError, MissingDependencyError
from rnn_edge.firmware.link import build_link_program
from rnn_edge.links.application import Mode
from rnn_edge.links.client import LinkClient
from rnn_edge.links.frames import Frame
from rnn_edge.links.messages import ANSWER, Status
from rnn_edge.links.tcp import TcpStream
from rnn_edge.reference import IntegerReference
from rnn_edge.spec import find_device

IMITATED = [name for name, kind in engines_here().items() if kind.is_emulated]
RECIPE = Recipe(seed=3, kinds=("gru",), units=(6,), inputs=4, name="reached")
MODEL = build(RECIPE)
NUCLEO = find_device("nucleo-f401re")


@pytest.fixture
def opened(tmp_path):
    models = source(Shape(("gru",), (5,)))
    return EngineSource(models.float_model, models.model, tmp_path, tmp_path / "work")


@pytest.mark.parametrize("engine", [n for n in IMITATED if not n.startswith("simulated:")])
def test_a_missing_emulator_is_named_with_its_package(opened, engine, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError) as caught:
        all_engines()[engine].open(opened)
    assert "qemu-" in caught.value.message
    assert "install qemu-" in caught.value.hint


def test_a_missing_simulator_is_named_with_its_package(opened, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="labwired, which is not installed") as caught:
        all_engines()["simulated:nucleo-f401re"].open(opened)
    assert "pip install 'rnn-edge[sim]'" in caught.value.hint


@pytest.mark.parametrize("engine", [n for n in IMITATED if not n.startswith("simulated:")])
def test_a_missing_compiler_is_named_with_its_package(opened, engine, monkeypatch, tmp_path):
    for name in ("qemu-system-arm", "qemu-system-riscv32", "qemu-arm", "qemu-aarch64"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 3\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "ziglang", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError) as caught:
        all_engines()[engine].open(opened)
    text = str(caught.value)
    assert "apt-get install gcc-" in text or "pip install 'rnn-edge[cross]'" in text


def test_a_missing_export_is_named_before_anything_is_compiled(opened):
    tool("arm-none-eabi-gcc")
    tool("qemu-system-arm")
    with pytest.raises(EngineError, match=r"sample\.h is missing"):
        all_engines()["device:qemu-m4"].open(opened)


def test_a_board_without_a_port_says_what_to_type(opened):
    with pytest.raises(DeviceError, match="is a board: no port is named") as caught:
        all_engines()["device:nucleo-f401re"].open(opened)
    assert "--port /dev/ttyACM0" in caught.value.hint
    assert "simulated:nucleo-f401re" in caught.value.hint
    with pytest.raises(DeviceError) as caught:
        all_engines()["device:rpi-4"].open(opened)
    assert "--port user@raspberrypi.local" in caught.value.hint


@pytest.fixture
def served(tmp_path):
    """The terminal of a program that serves the model, as a board does on its port."""
    sources = sorted(export(MODEL, tmp_path).iterdir())
    program = build_link_program([tool("cc")], MODEL, sources, tmp_path / "work")
    process = subprocess.Popen(
        [program, "--pty"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process.stdout.readline().strip()
    process.kill()
    process.communicate()


def test_a_board_gives_the_bits_and_is_given_back(served, tmp_path):
    x = frames(RECIPE, 200)
    wanted = IntegerReference(MODEL).run(x[None]).outputs[0]
    source_ = EngineSource(None, MODEL, tmp_path, tmp_path / "work", None, served)
    with all_engines()["device:nucleo-f401re"].open(source_) as engine:
        np.testing.assert_array_equal(engine.run(x).outputs, wanted)
        assert engine.client.mode() is Mode.HOST
    with LinkClient(open_port(Place(NUCLEO, served))) as client:
        client.open()
        assert client.mode() is Mode.SENSOR
        assert not any(client.state()[36:-4])


def test_a_board_of_another_model_is_refused(served, opened):
    with pytest.raises(EngineError, match="Device serves model 'reached'"):
        all_engines()["device:nucleo-f401re"].open(
            EngineSource(None, opened.model, opened.exports, opened.work, None, served)
        )


def test_a_port_may_be_a_serial_server():
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = Place(NUCLEO, f"localhost:{server.getsockname()[1]}")
        stream = open_port(place)
        assert isinstance(stream, TcpStream)
        stream.close()
    with pytest.raises(LinkError, match="cannot be made"):
        open_port(place)


def test_the_rate_is_that_of_the_device():
    assert baud_of(NUCLEO) == NUCLEO.board.numbers["uart_baud"]
    slow = NUCLEO.board.model_copy(update={"numbers": {"uart_baud": 9600}})
    assert baud_of(NUCLEO.model_copy(update={"board": slow})) == 9600
    assert baud_of(find_device("esp32-c3-devkit")) == 115_200


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (Place(find_device("qemu-m4"), "/dev/x"), "runs on this host: port /dev/x"),
        (Place(find_device("qemu-m4"), None, True), "nothing simulates it here"),
        (Place(NUCLEO, "/dev/x", True), "is simulated: port /dev/x"),
        (Place(find_device("host"), "/dev/x"), "runs on this host: port /dev/x"),
    ],
)
def test_places_that_cannot_be_are_refused(place, message):
    with pytest.raises(DeviceError, match=message):
        place.require()


def opening(found):
    content = bytes([Status.OK, 1]) + (512).to_bytes(2, "little") + bytes(4)
    return [Frame(found.type | ANSWER, found.session, found.sequence, content)]


def test_a_port_that_comes_back_is_opened_again():
    streams = [EndedStream(), EndedStream(), ScriptedStream(opening)]
    stream = answering(lambda: streams.pop(0), 20.0, "Device x", is_program=False)
    assert not streams
    stream.close()


def test_a_program_that_ends_is_not_started_again():
    streams = [EndedStream(), ScriptedStream(opening)]
    with pytest.raises(LinkError, match="Line has ended"):
        answering(lambda: streams.pop(0), 20.0, "Device x", is_program=True)
    assert len(streams) == 1


def test_silence_is_told_from_another_language(monkeypatch):
    monkeypatch.setattr(board, "ASKED_TIMEOUT_S", 0.05)
    silent = ScriptedStream(lambda found: [])
    with pytest.raises(DeviceError, match=r"Device x did not answer within 0\.2 s: Device did not"):
        answering(lambda: silent, 0.2, "Device x", is_program=False)
    assert silent.is_closed
    babbling = ScriptedStream(lambda found: [b"login: \0"])
    with pytest.raises(DeviceError, match=r"[\d,]+ bytes came that are no frames of the link"):
        answering(lambda: babbling, 0.2, "Device x", is_program=False)


def test_a_device_of_another_version_is_told_at_once():
    def refuse(found):
        content = bytes([Status.NOT_SUPPORTED, 9])
        return [Frame(found.type | ANSWER, 0, found.sequence, content)]

    start = time.monotonic()
    with pytest.raises(LinkError, match="speaks version 09 of the link"):
        answering(lambda: ScriptedStream(refuse), 30.0, "Device x", is_program=False)
    assert time.monotonic() - start < 20.0
