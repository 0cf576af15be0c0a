"""Runs commands in this process, and writes small data sets."""

import json

import numpy as np
import pytest

from rnn_edge.cli.main import run


class Result:
    """What a command line gave."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def rnn_edge(capsys):
    def call(*arguments):
        capsys.readouterr()
        code = run([str(a) for a in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture
def pump_tables():
    return write_pump_tables


def write_pump_tables(folder, count=2, rows=480):
    """Write CSV files of two channels with a fault in the last quarter."""
    folder.mkdir(parents=True)
    for k in range(count):
        generator = np.random.default_rng(k)
        time = np.arange(rows)
        pressure = np.sin(time / 9.0) + 0.05 * generator.standard_normal(rows)
        current = np.cos(time / 9.0) + 0.05 * generator.standard_normal(rows)
        anomalous = (time > 0.8 * rows) & (time < 0.9 * rows)
        pressure[anomalous] += 2.0
        lines = ["time,pressure,current,anomaly"]
        lines += [
            f"{t},{p:.4f},{c:.4f},{int(a)}"
            for t, p, c, a in zip(time, pressure, current, anomalous, strict=True)
        ]
        (folder / f"run{k}.csv").write_text("\n".join(lines) + "\n")
