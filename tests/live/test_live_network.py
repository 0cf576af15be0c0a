"""A real broker, a real scrape, and a serial line over a pseudo-terminal."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request

import pytest

from rnn_edge.live.saved import read_state

MOSQUITTO = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Broker:
    """Mosquitto on a port of its own."""

    def __init__(self, folder):
        self.port = free_port()
        self._file = folder / "mosquitto.conf"
        lines = f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
        self._file.write_text(f"{lines}user {os.environ.get('USER', 'root')}\n")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", self._file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(1200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise AssertionError("the broker did not start")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
            self.process = None


@pytest.fixture
def broker(tmp_path):
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    each = Broker(tmp_path)
    each.start()
    yield each
    each.stop()


@pytest.fixture
def client(broker):
    """A client of the broker that keeps what was published on pump/events."""
    paho = pytest.importorskip("paho.mqtt.client", reason="MQTT needs paho-mqtt")
    each = paho.Client(paho.CallbackAPIVersion.VERSION2)
    each.received = []
    each.on_message = lambda c, data, message: each.received.append(json.loads(message.payload))
    listens = threading.Event()
    each.on_connect = lambda c, *rest: c.subscribe("pump/events", qos=1)
    each.on_subscribe = lambda *rest: listens.set()
    each.connect("127.0.0.1", broker.port)
    each.loop_start()
    assert listens.wait(60)
    yield each
    each.disconnect()
    each.loop_stop()


def has_stepped(state, frames):
    """Whether a stream that saves its state has stepped so many frames."""
    saved = read_state(state)
    return saved is not None and saved.step == frames


def wait_until(holds, timeout_s=60.0):
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_rows_come_from_a_broker_and_decisions_go_there(bundles, broker, client, running, tmp_path):
    address, state = f"mqtt://127.0.0.1:{broker.port}/pump", tmp_path / "s"
    # What a broker keeps comes as soon as the stream listens.
    client.publish("pump/rows", "kept", qos=1, retain=True).wait_for_publish(60)
    stream = running(
        *(bundles / "pump", "-s", f"{address}/rows", "--mqtt", f"{address}/events"),
        *("--state", state, "--save-every", "0.05"),
    )
    wait_until(lambda: any("cells" in note for note in stream.notes))
    quiet, loud = json.dumps([0.1, 0.2]), "9.5,-9.5"
    for k in range(200):
        client.publish("pump/rows", loud if 50 <= k < 100 else quiet, qos=1).wait_for_publish(60)
    client.publish("pump/rows", "no row", qos=1).wait_for_publish(60)
    client.publish("pump/rows", json.dumps({"current": 0.1, "pressure": None}), qos=1)
    wait_until(lambda: any(e["event"] == "end" for e in client.received))
    wait_until(lambda: has_stepped(state, 201))
    assert stream.end(signal.SIGTERM) == 0
    stopped = stream.events[-1]
    assert stopped["frames"] == 201
    assert (stopped["bad_lines"], stopped["held_values"], stopped["dropped_frames"]) == (2, 1, 0)
    told = [e for e in stream.events if e["event"] in ("begin", "end")]
    wait_until(lambda: client.received == told)
    assert stopped["mqtt_dropped_events"] == 0


@pytest.mark.slow
def test_a_broker_that_comes_late_gets_what_waits(bundles, broker, running):
    paho = pytest.importorskip("paho.mqtt.client", reason="MQTT needs paho-mqtt")
    broker.stop()
    address = f"mqtt://127.0.0.1:{broker.port}/pump/events"
    stream = running(
        bundles / "pump", "-s", bundles / "rows.csv", "--repeat", "0", "--fast", "--mqtt", address
    )
    stream.wait_for("end")
    # Decisions went on without it; when it is there, they arrive.
    broker.start()
    received = []
    listener = paho.Client(paho.CallbackAPIVersion.VERSION2)
    listener.on_message = lambda c, data, message: received.append(json.loads(message.payload))
    listener.on_connect = lambda c, *rest: c.subscribe("pump/events", qos=1)
    listener.connect("127.0.0.1", broker.port)
    listener.loop_start()
    wait_until(lambda: len(received) > 3)
    assert stream.end(signal.SIGTERM) == 0
    listener.disconnect()
    listener.loop_stop()
    assert all(event in stream.events for event in received)


def scrape(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            found[name] = float(value)
    return found


def test_metrics_are_those_of_the_events(bundles, running):
    pytest.importorskip("prometheus_client", reason="metrics need prometheus-client")
    stream = running(
        bundles / "pump", "-s", bundles / "rows.csv", "--repeat", "0", "--fast", "--metrics", "0"
    )
    stream.wait_until(lambda: any("Metrics: http" in note for note in stream.notes))
    port = re.search(r":(\d+)/metrics", "".join(stream.notes))[1]
    for _ in range(3):
        stream.wait_for("end")
    found = scrape(port)
    wait_until(lambda: scrape(port)["rnn_edge_frames_total"] > found["rnn_edge_frames_total"])
    # Frames are stepped between one line of a scrape and the next.
    stepped = found["rnn_edge_step_seconds_count"]
    assert found["rnn_edge_frames_total"] - 1 <= stepped <= scrape(port)["rnn_edge_frames_total"]
    assert found['rnn_edge_step_seconds_bucket{le="+Inf"}'] == found["rnn_edge_step_seconds_count"]
    (about,) = [name for name in found if name.startswith("rnn_edge_model_info")]
    for part in ('model="pump"', 'engine="c"', "digest=", "version="):
        assert part in about
    assert found["rnn_edge_state_age_seconds"] > 0
    assert found["rnn_edge_input_drift_score"] >= 0
    assert found["rnn_edge_dropped_frames_total"] == 0
    assert found["rnn_edge_resets_total"] == 0
    begun = found['rnn_edge_decisions_total{label="alarm"}']
    assert stream.end(signal.SIGTERM) == 0
    stopped = stream.events[-1]
    assert 3 <= begun <= stopped["decisions"]["alarm"]
    assert stopped["decisions"]["alarm"] == sum(e["event"] == "begin" for e in stream.events)


def test_a_port_that_is_taken_is_refused(bundles, running):
    pytest.importorskip("prometheus_client", reason="metrics need prometheus-client")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        stream = running(bundles / "pump", "-s", bundles / "rows.csv", "--metrics", port)
        assert stream.end() == 1
        assert "cannot be served: Address already in use" in "".join(stream.notes)


@pytest.mark.slow
def test_rows_come_over_a_serial_line_with_gaps_and_garbage(bundles, running, tmp_path):
    pytest.importorskip("serial", reason="serial ports need pyserial")
    ours, theirs = os.openpty()
    state = tmp_path / "s"
    try:
        stream = running(
            *(bundles / "pump", "-s", f"serial:{os.ttyname(theirs)}", "-q"),
            *("--state", state, "--save-every", "0.05"),
        )
        stream.wait_for("started")
        os.write(ours, b".75,0.1\n")  # the end of a line that began before anybody listened
        for k in range(90):  # an alarm ends below its release
            os.write(ours, b"9,-9\n" if 30 <= k < 45 else b"0.1,0.2\r\n")
            time.sleep(0.005)
        os.write(ours, b"\xff\xfe\n1,2,3\n")
        wait_until(lambda: has_stepped(state, 91))
        time.sleep(2.0)  # longer than three rows take
        os.write(ours, b"0.1,0.2\n")
        stream.wait_for("end")
        wait_until(lambda: has_stepped(state, 92))
        assert stream.end(signal.SIGTERM) == 0
    finally:
        os.close(ours)
        os.close(theirs)
    stopped = stream.events[-1]
    assert stopped["frames"] == 92
    assert (stopped["bad_lines"], stopped["gaps"]) == (2, 1)


@pytest.mark.slow
def test_a_serial_line_that_goes_away_ends_the_run_with_its_reason(bundles, running, tmp_path):
    pytest.importorskip("serial", reason="serial ports need pyserial")
    ours, theirs = os.openpty()
    state = ("--state", tmp_path / "s", "--save-every", "0.05")
    stream = running(bundles / "pump", "-s", f"serial:{os.ttyname(theirs)}", *state)
    stream.wait_for("started")
    os.write(ours, b"0.1,0.2\n")
    wait_until(lambda: has_stepped(tmp_path / "s", 1))
    os.close(theirs)
    os.close(ours)
    assert stream.end() == 1
    assert "serial port /dev/pts/" in "".join(stream.notes)
    assert stream.events[-1]["frames"] == 1
    assert (tmp_path / "s").is_file()


def test_a_port_that_is_none_is_refused(bundles, running):
    pytest.importorskip("serial", reason="serial ports need pyserial")
    stream = running(bundles / "pump", "-s", "serial:/dev/none")
    assert stream.end() == 1
    assert "Serial port /dev/none at 115200 baud cannot be opened" in "".join(stream.notes)
