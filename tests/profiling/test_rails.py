"""Power of a Pi 5's rails: read beside a run, here and over SSH, by a stand-in for vcgencmd."""

import os
from pathlib import Path

import pytest
from c_models import Recipe, frames
from untrained import untrained_bundle

from rnn_edge.cli.profile_lines import profile_lines
from rnn_edge.errors import EngineError
from rnn_edge.pipeline.profile import profile_bundle
from rnn_edge.pipeline.profile_engines import ProfileRequest
from rnn_edge.profiling import measure
from rnn_edge.profiling.measure import Settings
from rnn_edge.profiling.places import ThisMachine
from rnn_edge.profiling.rails import COMMAND, RailMeter, rails_of
from rnn_edge.profiling.ssh import SshHost
from rnn_edge.profiling.subject import Subject
from rnn_edge.report import render_profile

MODEL = Recipe(seed=5, kinds=("gru",), units=(9,), inputs=4, outputs=3)
READING = """\
 3V7_WL_SW_A current(0)=0.10000000A
   3V3_SYS_A current(1)=0.20000000A
  VDD_CORE_A current(7)={core}A
 3V7_WL_SW_V volt(8)=3.70000000V
   3V3_SYS_V volt(9)=3.30000000V
  VDD_CORE_V volt(15)=0.80000000V
     EXT5V_V volt(24)=5.10000000V
      BATT_V volt(25)=0.00500000V
"""
STEADY_W = 0.1 * 3.7 + 0.2 * 3.3
IDLE_A, BUSY_A, PACED_A = 1.0, 4.0, 1.5
OLDER_PI = 'error=1 error_msg="Command not registered"'


def vcgencmd(folder):
    """Return the script of a stand-in, whose core takes what a file in a folder says."""
    (folder / "core").write_text(f"{IDLE_A}")
    lines = READING.format(core="'$(cat " + str(folder / "core") + ")'")
    return f"[ \"$1\" = pmic_read_adc ] || exit 9\nprintf '%s' '{lines}'"


def meter_at(place):
    return RailMeter(place.start({}, COMMAND, "readings").__enter__(), place.name)


@pytest.fixture
def watched(binary, tmp_path):
    """An engine during whose commands the core takes more."""

    def of(stream):
        subject = Subject(stream, "c")
        ask = subject._ask
        taken = {"power": BUSY_A, "paced": PACED_A}

        def asked(command, *rest):
            (tmp_path / "core").write_text(f"{taken.get(command.split()[0], IDLE_A)}")
            try:
                return ask(command, *rest)
            finally:
                (tmp_path / "core").write_text(f"{IDLE_A}")

        subject._ask = asked
        subject.load(frames(MODEL, 20))
        return subject

    return of


def require_energy(found):
    idle, busy, paced = (STEADY_W + 0.8 * amperes for amperes in (IDLE_A, BUSY_A, PACED_A))
    assert found.source == "PMIC, 3 rails"
    # A reading may begin before the core takes more.
    assert found.idle_w == pytest.approx(idle)
    assert (idle + busy) / 2 < found.busy_w <= busy + 1e-9
    assert idle < found.paced_w <= paced + 1e-9
    assert 0 < found.step_s < 0.01
    assert found.step_j == pytest.approx((found.busy_w - found.idle_w) * found.step_s)


def test_rails_are_what_has_a_current_and_a_voltage():
    found = rails_of(READING.format(core="0.50000000"))
    assert found == pytest.approx({"3V7_WL_SW": 0.37, "3V3_SYS": 0.66, "VDD_CORE": 0.4})
    assert rails_of(OLDER_PI) == {}


def test_energy_is_read_over_ssh_beside_the_run(server, binary, watched, tmp_path):
    server.fake("vcgencmd", vcgencmd(tmp_path))
    host = SshHost("pi", server.config, str(server.copies))
    assert host.machine().rails == "3"
    with host.start({"program": binary}, ["program"], "c") as stream, meter_at(host) as meter:
        assert meter.rails == ("3V7_WL_SW", "3V3_SYS", "VDD_CORE")
        require_energy(meter.energy(watched(stream), 0.6, 0.02))


def test_energy_is_read_here(binary, watched, tmp_path, monkeypatch):
    put(tmp_path, vcgencmd(tmp_path), monkeypatch)
    here = ThisMachine()
    assert here.machine().rails == "3"
    with here.start({"program": binary}, ["program"], "c") as stream, meter_at(here) as meter:
        require_energy(meter.energy(watched(stream), 0.6, 0.02))


def put(folder, script, monkeypatch):
    path = folder / "vcgencmd"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize("script", ["exit 127", f"echo '{OLDER_PI}'"])
def test_another_board_has_no_rails(server, script):
    server.fake("vcgencmd", script)
    host = SshHost("pi", server.config, str(server.copies))
    assert host.machine().rails == "0"
    with pytest.raises(EngineError, match="expected rails"):
        meter_at(host)


def test_readings_that_fail_in_mid_run_are_told(tmp_path, monkeypatch):
    put(tmp_path, vcgencmd(tmp_path), monkeypatch)
    with meter_at(ThisMachine()) as meter:
        put(tmp_path, "echo VCHI initialization failed", monkeypatch)
        with (
            pytest.raises(EngineError, match="tells 'VCHI initialization failed'"),
            meter.watching(),
        ):
            Path(tmp_path / "core").read_text()


@pytest.mark.slow
def test_a_profile_tells_energy_where_there_are_rails(tmp_path, monkeypatch):
    bundle = untrained_bundle(tmp_path)
    put(tmp_path, vcgencmd(tmp_path), monkeypatch)
    monkeypatch.setattr(measure, "ENERGY_S", 0.3)
    monkeypatch.setattr(measure, "power_sensor", lambda read: None)
    request = ProfileRequest(engines=("c",), settings=Settings(2, 20, 0, 0.0, 0))
    result = profile_bundle(bundle, request, lambda *_: None)
    (row,) = result["subjects"]
    steady = STEADY_W + 0.8 * IDLE_A
    for key in ("idle_w", "busy_w", "paced_w"):
        assert row["energy"][key] == pytest.approx(steady)
    assert row["energy"]["step_uj"] == pytest.approx(0.0, abs=1e-6)
    text = "\n".join(profile_lines(result))
    assert "in real time 1.830 W" in text
    assert "PMIC, 3 rails" in text
    pytest.importorskip("matplotlib", reason="the page needs matplotlib")
    assert "PMIC, 3 rails" in render_profile(result)
