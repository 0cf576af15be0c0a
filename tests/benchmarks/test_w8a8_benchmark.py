"""The table of the fused LSTM: what it prints is what it measured."""

import json
import runpy
import sys
from pathlib import Path

import pytest

from rnn_edge.engines import runtime_state
from rnn_edge.errors import MissingDependencyError

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "w8a8.py"
SMALL = ["--hidden", "6", "--inputs", "4", "--steps", "80"]


@pytest.fixture
def run(monkeypatch, capsys):
    pytest.importorskip("ai_edge_litert")

    def refuse(environment, runtime):
        raise MissingDependencyError(f"no {runtime} here")

    # What needs another environment is slow and may need a network.
    monkeypatch.setattr(runtime_state, "start_worker", refuse)

    def run_one(*arguments):
        monkeypatch.setattr(sys, "argv", [str(BENCHMARK), *SMALL, *arguments])
        runpy.run_path(str(BENCHMARK), run_name="__main__")
        return capsys.readouterr().out

    return run_one


def test_json_and_table_say_the_same(run):
    found = json.loads(run("--json"))
    names = [row["name"] for row in found["drift"]]
    assert names[:2] == ["w8a16", "litert-w8a8"]
    assert set(found["keeps_state"]) | {r["engine"] for r in found["not_run"]} == {
        "litert-w8a8",
        "tflm-w8a8",
    }
    table = run()
    assert table.startswith("random LSTM(6), 4 inputs, 80 steps, never reset\n")
    for row in found["drift"]:
        assert f"{row['name']:<24}{row['hidden_rms']:>11.5f}" in table
    assert "litert-w8a8: state kept between two invocations" in table
    for row in found["not_run"]:
        assert f"{row['engine']} not run: no {row['engine']} here" in table


def test_the_same_seed_gives_the_same_figures_and_another_does_not(run):
    assert run("--json") == run("--json")
    assert json.loads(run("--json"))["drift"] != json.loads(run("--json", "--seed", "7"))["drift"]
