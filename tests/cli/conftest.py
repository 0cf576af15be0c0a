"""Runs commands in this process, and writes small data sets."""

import json

import pytest
from pump_tables import write_pump_tables

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
