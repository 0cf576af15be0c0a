"""Figures of measured times, what machines say, and the order of a measurement."""

import numpy as np
import pytest

from rnn_edge.errors import EngineError, LinkError
from rnn_edge.profiling.conditions import (
    is_emulated,
    power_sensor,
    read_conditions,
    temperature_c,
)
from rnn_edge.profiling.figures import (
    estimated,
    histogram_of,
    models_per_core,
    per_second,
    rate_of,
    times_of,
)
from rnn_edge.profiling.measure import Settings, figures_of, measure, paced_steps
from rnn_edge.profiling.places import Machine
from rnn_edge.profiling.subject import About, Clock, Memory, Paced, Round, Subject
from rnn_edge.types.drift import Estimate


def test_quantiles_are_those_of_all_steps():
    rounds = [np.arange(1, 101) * 1e-6, np.arange(101, 201) * 1e-6]
    times = times_of(rounds, 1e6)
    assert times.p50.value == pytest.approx(100.5)
    assert times.p99.value == pytest.approx(np.quantile(np.arange(1, 201), 0.99))
    assert times.maximum == pytest.approx(200.0)
    assert times.mean.value == pytest.approx(100.5)
    assert times.jitter.value == pytest.approx(times.p99.value - times.p50.value)
    # Two rounds that differ: the interval reaches from the one to the other.
    assert times.p50.low == pytest.approx(50.5)
    assert times.p50.high == pytest.approx(150.5)


def test_intervals_hold_the_true_median_of_rounds_that_are_alike():
    generator = np.random.default_rng(1)
    hits = 0
    for _ in range(60):
        shifts = generator.normal(0.0, 1.0, 20)
        rounds = [10.0 + shift + generator.normal(0.0, 1.0, 50) for shift in shifts]
        found = estimated(rounds, lambda values: float(np.median(values)))
        hits += found.low <= 10.0 <= found.high
    assert hits >= 50


def test_one_round_has_no_interval():
    found = estimated([np.array([1.0, 2.0, 9.0])], lambda values: float(np.median(values)))
    assert found == Estimate(2.0, 2.0, 2.0)


def test_a_rate_is_all_steps_by_all_time():
    found = rate_of([100, 300], [1.0, 1.0])
    assert found.value == 200.0
    assert (found.low, found.high) == (100.0, 300.0)
    assert models_per_core(found, 50.0) == 2


def test_seconds_of_the_stream_are_sums_of_whole_seconds():
    (sums,) = per_second([np.arange(10.0)], 4.0)
    assert sums.tolist() == [0 + 1 + 2 + 3, 4 + 5 + 6 + 7]
    assert per_second([np.arange(10.0)], 0.5) is None
    assert per_second([np.arange(10.0)], 3.3) is None
    assert per_second([np.arange(3.0)], 4.0) is None


def test_no_step_falls_out_of_the_histogram():
    values = np.array([1e-6, 1e-6, 1.234e-5, 4e-3, 1e-2])
    found = histogram_of([values[:2], values[2:]])
    assert sum(found.counts) == len(values)
    assert len(found.edges_us) == len(found.counts) + 1
    assert np.all(np.diff(found.edges_us) > 0)
    assert found.edges_us[0] <= 1.0 * (1 + 1e-9)
    assert found.edges_us[-1] >= 1e4 * (1 - 1e-9)


PI = {
    "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand",
    "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1500000",
    "/sys/class/thermal/thermal_zone0/type": "gpu-thermal",
    "/sys/class/thermal/thermal_zone0/temp": "40000",
    "/sys/class/thermal/thermal_zone1/type": "cpu-thermal",
    "/sys/class/thermal/thermal_zone1/temp": "61346",
    "/sys/devices/platform/soc/soc:firmware/get_throttled": "50005",
    "/proc/loadavg": "0.15 0.08 0.01 1/150 1000",
    "/proc/self/status": "Name:\tqemu-aarch64\nState:\tR",
}


def test_a_pi_says_how_it_is():
    found = read_conditions(PI.get)
    assert found.governor == "ondemand"
    assert found.frequency_mhz == 1500.0
    assert found.temperature_c == pytest.approx(61.346)
    assert found.throttled == ("under-voltage", "throttled")
    assert found.was_throttled == ("under-voltage", "throttled")
    assert found.load == 0.15
    assert is_emulated(PI.get)


def test_a_machine_that_says_nothing_is_no_failure():
    assert set(read_conditions(lambda path: None).to_json().values()) == {None}
    assert set(read_conditions(lambda path: "").to_json().values()) == {None}
    assert not is_emulated(lambda path: None)
    assert not is_emulated({"/proc/self/status": "Name:\tprogram"}.get)


def test_the_first_zone_stands_for_a_processor_without_a_name():
    files = {"/sys/class/thermal/thermal_zone0/temp": "35000"}
    assert temperature_c(files.get) == 35.0


def test_answers_of_a_machine_are_read_by_name():
    said = "motd\nmachine\taarch64\ncores\t4\npython\t3.13.1 numpy onnxruntime\nelse\tx\n"
    found = Machine.of_answers(said)
    assert (found.machine, found.cores, found.libc) == ("aarch64", "4", "")
    assert (found.python, found.packages) == ("3.13.1", ("numpy", "onnxruntime"))


class Scripted:
    """A process that notes what it is asked."""

    def __init__(self, name, order):
        self.name, self._order = name, order
        self.about = About(Clock(1, 20, 30), "int16", 4, 16384, "", "1.0")

    def round(self, steps):
        self._order.append((self.name, "round", steps))
        return Round(np.full(steps, 2e-6), steps * 3e-6, steps * 2.5e-6)

    def paced(self, steps, period_s):
        self._order.append((self.name, "paced", steps))
        answered = np.where(np.arange(steps) == 0, 2 * period_s, 1e-5)
        return Paced(np.full(steps, 5e-6), answered, steps * 8e-6)

    def cold(self, starts):
        return np.full(starts, 1e-3)

    def memory(self):
        return Memory(1 << 20, 1 << 21, 300)

    def read(self, path):
        return PI.get(path)


def test_a_sensor_of_power_is_known_by_the_name_of_its_driver():
    files = {
        "/sys/class/hwmon/hwmon0/name": "cpu_thermal",
        "/sys/class/hwmon/hwmon0/power1_input": "5",
        "/sys/class/hwmon/hwmon2/name": "ina226",
        "/sys/class/hwmon/hwmon2/power1_input": "2750000",
    }
    assert power_sensor(files.get) == "/sys/class/hwmon/hwmon2/power1_input"
    assert power_sensor(PI.get) is None
    del files["/sys/class/hwmon/hwmon2/power1_input"]
    assert power_sensor(files.get) is None


def test_engines_take_turns_and_each_is_first_in_its_own():
    order = []
    subjects = [Scripted(name, order) for name in "abc"]
    settings = Settings(rounds=3, steps=100, warm_up=7, paced_s=3.0, starts=2)
    found, moments = measure(subjects, settings, 10.0, lambda *_: None)
    assert order[:3] == [(name, "round", 7) for name in "abc"]
    turns = [name for name, what, steps in order[3:] if what == "round"]
    assert turns == list("abcbcacab")
    assert paced_steps(settings, 10.0) == 10
    assert [len(part.taken_s) for part in found["a"].paced] == [10, 10, 10]
    assert [moment.round for moment in moments] == [0, 1, 2, 3]
    assert [moment.temperature_c for moment in moments] == pytest.approx([61.346] * 4)
    figures = figures_of(found["b"], 10.0)
    assert figures["step_us"]["p50"]["value"] == pytest.approx(2.0)
    assert figures["steps_per_second"]["value"] == pytest.approx(1 / 3e-6)
    assert figures["core_share"]["value"] == pytest.approx(10.0 * 2.5e-6)
    assert figures["models_per_core"] == round(1 / (10.0 * 2.5e-6))
    assert figures["paced"]["missed"] == 3
    assert figures["paced"]["steps"] == 30
    assert figures["paced"]["core_share"]["value"] == pytest.approx(10.0 * 8e-6)
    assert figures["per_second_ms"]["p50"]["value"] == pytest.approx(10 * 2e-3)
    assert figures["cold_start_ms"]["p50"]["value"] == pytest.approx(1.0)
    assert figures["memory"]["stack_bytes"] == 300


def test_what_was_not_asked_for_is_not_there():
    order = []
    settings = Settings(rounds=2, steps=10, warm_up=0, paced_s=0.0, starts=0)
    found, _ = measure([Scripted("a", order)], settings, 50.0, lambda *_: None)
    assert order == [("a", "round", 10)] * 2
    figures = figures_of(found["a"], 50.0)
    assert figures["paced"] is None
    assert figures["cold_start_ms"] is None
    assert figures["per_second_ms"] is None


class Answering:
    """A stream with prepared answers."""

    def __init__(self, *answers):
        self._answers, self.sent, self.is_closed = list(answers), [], False

    def write(self, data, timeout_s):
        self.sent.append(data)

    def read(self, timeout_s):
        if not self._answers:
            raise LinkError("gone")
        return self._answers.pop(0)

    def close(self):
        self.is_closed = True


ABOUT = (
    b"ok resolution_ns=1 smallest_ns=20 reading_ns=30 dtype=int16 inputs=2 steps=99 version=2.3\n"
)


def test_answers_may_come_in_pieces():
    payload = np.array([1000, 2000], "<u4").tobytes()
    stream = Answering(
        ABOUT[:10], ABOUT[10:], b"ok elapsed_ns=5000 cpu_ns=4000 byt", b"es=8\n" + payload[:3],
        payload[3:],
    )  # fmt: skip
    subject = Subject(stream, "x")
    found = subject.round(2)
    assert found.taken_s.tolist() == pytest.approx([1e-6, 2e-6])
    assert (found.elapsed_s, found.cpu_s) == (pytest.approx(5e-6), pytest.approx(4e-6))
    assert stream.sent == [b"about\n", b"round 2\n"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"error frames: expected 1\n", "refuses 'round': frames: expected 1"),
        (b"hello\n", "answers b'hello'"),
        (b"x" * 5000, "answers b'xxx"),
    ],
)
def test_strange_answers_are_told(answer, expected):
    subject = Subject(Answering(ABOUT, answer), "x")
    with pytest.raises(EngineError, match=expected):
        subject.round(2)


def test_a_process_that_does_not_begin_is_closed():
    stream = Answering(b"Traceback\n")
    with pytest.raises(EngineError, match="Traceback"):
        Subject(stream, "x")
    assert stream.is_closed


def test_frames_of_another_kind_are_refused():
    subject = Subject(Answering(ABOUT), "x")
    with pytest.raises(EngineError, match=r"float32 \(3, 2\); expected int16 \(T, 2\)"):
        subject.load(np.zeros((3, 2), np.float32))


def test_a_file_that_cannot_be_read_is_none():
    subject = Subject(Answering(ABOUT, b"error it cannot be read\n", b"ok bytes=3\nabc"), "x")
    assert subject.read("/nowhere") is None
    assert subject.read("/here") == "abc"
