"""Streams of bytes: pipes, TCP, pseudo-terminals and serial ports; none waits for ever."""

import gc
import os
import pty
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from c_models import frames

from rnn_edge.engines.board import answering
from rnn_edge.errors import DeviceError, LinkError, MissingDependencyError
from rnn_edge.links.client import LinkClient
from rnn_edge.links.descriptors import DescriptorStream
from rnn_edge.links.process import ProcessStream
from rnn_edge.links.serial_port import SerialStream
from rnn_edge.links.tcp import TcpStream
from rnn_edge.links.terminal import TerminalStream
from rnn_edge.reference import IntegerReference


@pytest.fixture
def terminal(linked_program):
    """The path of a pseudo-terminal with a device at its other end."""
    process = subprocess.Popen(
        [linked_program, "--host", "--pty"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    yield Path(process.stdout.readline().decode().strip())
    process.stdin.close()
    assert process.wait(60) == 0
    process.stdout.close()


@pytest.fixture
def listener(linked_program):
    """The port of a server that hands what it gets to a device."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                subprocess.run(
                    [linked_program, "--host"], stdin=connection, stdout=connection, check=True
                )

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(60)
        assert not thread.is_alive()


def check(stream, model, recipe):
    x = frames(recipe, 400)
    with LinkClient(stream, 20.0) as client:
        client.open()
        expected = IntegerReference(model).run(x[None]).outputs[0]
        np.testing.assert_array_equal(client.step(x[:200]), expected[:200])
        np.testing.assert_array_equal(client.stream(x[200:]), expected[200:])
        # Every byte there is, as a line that translates or swallows some would not carry it.
        client.ping(bytes(range(256)))
        assert client.statistics.retries == 0
    with pytest.raises(LinkError, match="is closed"):
        stream.read(0.0)
    with pytest.raises(LinkError, match="is closed"):
        stream.write(b"x", 0.0)
    stream.close()


def test_a_pipe(linked_program, linked_model, linked_recipe):
    check(ProcessStream([str(linked_program), "--host"], "Program"), linked_model, linked_recipe)


def test_a_tcp_connection(listener, linked_model, linked_recipe):
    check(TcpStream("127.0.0.1", listener), linked_model, linked_recipe)


def test_a_pseudo_terminal(terminal, linked_model, linked_recipe):
    check(TerminalStream(terminal), linked_model, linked_recipe)


def test_a_serial_port(terminal, linked_model, linked_recipe):
    pytest.importorskip("serial", reason="pip install 'rnn-edge[serial]'")
    check(SerialStream(str(terminal)), linked_model, linked_recipe)


def test_a_device_outlives_its_hosts(terminal, linked_recipe):
    x = frames(linked_recipe, 10)
    for k in range(3):
        with LinkClient(TerminalStream(terminal), 5.0) as client:
            assert client.open().steps == 10 * k
            client.step(x)


def test_a_host_that_leaves_without_reading_keeps_no_program(linked_program):
    process = subprocess.Popen(
        [linked_program, "--host", "--pty"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    line = TerminalStream(Path(process.stdout.readline().decode().strip()))
    # The device cannot get rid of its notices, and then takes no more.
    sent, refused, deadline = 0, 0, time.monotonic() + 60
    while refused < 30 and time.monotonic() < deadline:
        try:
            sent += os.write(line._outgoing, (b"\0" + b"\x55" * 30) * 100)
            refused = 0
        except BlockingIOError:
            refused += 1
            time.sleep(0.01)
    assert refused == 30
    assert sent > 4096
    line.close()
    process.stdin.close()
    process.stdout.close()
    # It was done, or it had an answer that nobody took.
    assert process.wait(60) in (0, 100)


def test_both_sides_may_send_more_than_fits_at_once():
    # The other side sends as much before it takes a byte; neither waits for the other.
    code = (
        "import sys\nn = 1 << 20\nsys.stdout.buffer.write(b'y' * n)\nsys.stdout.buffer.flush()\n"
        "sys.stdin.buffer.read(n)\nsys.stdout.buffer.write(b'z')\n"
    )
    stream = ProcessStream([sys.executable, "-c", code], "Program")
    stream.write(b"x" * (1 << 20), 20.0)
    found = b""
    while not found.endswith(b"z"):
        part = stream.read(10.0)
        assert part
        found += part
    assert len(found) == (1 << 20) + 1
    stream.close()


def test_a_program_that_takes_nothing_is_told():
    stream = ProcessStream([sys.executable, "-c", "import time; time.sleep(60)"], "Program")
    start = time.monotonic()
    with pytest.raises(LinkError, match=r"takes no bytes: \d+ of 1048576 are left after 0\.2 s"):
        stream.write(b"x" * (1 << 20), 0.2)
    assert stream.read(0.05) == b""
    assert time.monotonic() - start < 30
    pid = stream.pid
    stream.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_program_ends_with_its_stream():
    stream = ProcessStream(["cat"], "Program")
    pid = stream.pid
    del stream
    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_end_is_told():
    stream = ProcessStream(["true"], "Program")
    with pytest.raises(LinkError, match="Program has ended with exit code 0"):
        stream.read(5.0)
    stream.close()
    host, device = pty.openpty()
    stream = DescriptorStream("Terminal", host, host)
    os.close(device)
    with pytest.raises(LinkError, match="Terminal has ended"):
        stream.read(1.0)
    stream.close()


def test_what_cannot_be_opened_is_named(tmp_path, monkeypatch):
    with pytest.raises(LinkError, match="does not start: /no/such"):
        ProcessStream(["/no/such"], "Program")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(LinkError, match=f"127.0.0.1:{port} cannot be made"):
        TcpStream("127.0.0.1", port)
    with pytest.raises(LinkError, match="99999 cannot be made"):
        TcpStream("127.0.0.1", 99999)
    with pytest.raises(LinkError, match="cannot be opened: No such file"):
        TerminalStream(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(LinkError, match="is none"):
        TerminalStream(tmp_path / "file")
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(MissingDependencyError, match="serial ports") as caught:
        SerialStream("/dev/ttyACM0")
    assert caught.value.hint == "pip install 'rnn-edge[serial]'"


def test_a_serial_port_that_is_not_there_is_named():
    pytest.importorskip("serial", reason="pip install 'rnn-edge[serial]'")
    with pytest.raises(LinkError, match=r"/dev/none at 115200 baud cannot be opened"):
        SerialStream("/dev/none")


@pytest.mark.parametrize(("port", "what"), [("/dev/null", "no serial port"), (".", "a folder")])
def test_what_is_no_serial_port_is_refused_and_not_waited_for(port, what):
    pytest.importorskip("serial", reason="pip install 'rnn-edge[serial]'")
    # A board's port that cannot be opened is tried again until it comes, which this never does.
    with pytest.raises(DeviceError, match=f"Port {re.escape(port)} is {what}; expected"):
        answering(lambda: SerialStream(port), 60.0, "The board", is_program=False)
