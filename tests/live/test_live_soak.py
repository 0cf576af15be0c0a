"""Frames by the hundred thousand with kills on the way: nothing lost, grown or miscounted."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "soak.py"


def script():
    spec = importlib.util.spec_from_file_location("soak", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(("frames", "is_logged"), [(300_000, False), (100_000, True)])
def test_a_long_stream_with_kills_is_whole(bundles, frames, is_logged):
    pytest.importorskip("prometheus_client", reason="metrics need prometheus-client")
    soak = script()
    found = soak.soak(bundles / "pump", [bundles / "rows.csv"], frames, 2, is_logged=is_logged)
    assert soak.faults(found) == []
    assert found["processes"] == 3
    assert found["last_scrape_frames"] > 0
    assert found["decisions_counted"] > 0


def test_a_soak_that_went_wrong_says_so():
    soak = script()
    good = {
        "frames": 9, "is_logged": True, "exit_code": 0, "log_frames": 9, "log_missing": 0,
        "log_differing": 0, "dropped_frames": 0, "decisions_written": 1, "decisions_counted": 1,
        "state_is_equal": True, "last_scrape_frames": 8, "stopped_frames": 9,
        "rss_kib_first": 70_000, "rss_kib_last": 70_500,
    }  # fmt: skip
    assert soak.faults(good) == []
    for name, value in [
        ("exit_code", 1), ("log_missing", 1), ("log_differing", 1), ("dropped_frames", 1),
        ("decisions_written", 2), ("state_is_equal", False), ("last_scrape_frames", 10),
        ("rss_kib_last", 80_000), ("log_frames", 8),
    ]:  # fmt: skip
        assert len(soak.faults(good | {name: value})) == 1, name
