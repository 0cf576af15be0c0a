"""The examples of docs/cli.md run as they stand, and every command has one."""

import functools
import hashlib
import http.server
import os
import re
import shlex
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest
from pump_tables import write_pump_tables

from rnn_edge.cli.program import cli

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
BLOCK = re.compile(r"<!-- example: ([\w ]+?)((?:, \w+)*) -->\n```console\n(.*?)```", re.S)
FILE = re.compile(r"<!-- file: ([\w.]+) -->\n```toml\n(.*?)```", re.S)
PROGRAM = Path(sys.executable).with_name("rnn-edge")


def examples():
    """Return command, marks and command line of every example, in order."""
    found = []
    for name, marks, body in BLOCK.findall(DOCS.read_text()):
        for line in body.strip().splitlines():
            assert line.startswith("$ rnn-edge "), line
            found.append((name, marks.replace(",", " ").split(), line.removeprefix("$ ")))
    return found


def commands(group, prefix=()):
    """Return the names of all commands below a group."""
    context = click.Context(group)
    names = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            names += commands(command, (*prefix, name))
        else:
            names.append(" ".join((*prefix, name)))
    return names


def documented(command):
    """Whether an example shows a command; `data fetch` stands for all it can fetch."""
    return any(line.startswith(f"rnn-edge {command}") for _, _, line in examples())


@pytest.mark.parametrize("command", commands(cli))
def test_every_command_has_an_example(command):
    assert documented(command)


def test_no_block_of_commands_is_left_out():
    assert DOCS.read_text().count("```console") == len(BLOCK.findall(DOCS.read_text()))


@pytest.fixture
def folder(tmp_path):
    """A folder with the recordings and files that the page speaks of."""
    write_pump_tables(tmp_path / "recordings")
    for name, content in FILE.findall(DOCS.read_text()):
        (tmp_path / name).write_text(content)
    return tmp_path


@pytest.fixture
def served(tmp_path):
    """A small archive on a local server: its address and digest."""
    site = tmp_path / "site"
    site.mkdir()
    content = os.urandom(300_000)
    (site / "archive.tar.gz").write_bytes(content)
    handler = functools.partial(QuietHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield (
            f"http://127.0.0.1:{server.server_address[1]}/archive.tar.gz",
            hashlib.sha256(content).hexdigest(),
        )
        server.shutdown()
        thread.join()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        """Say nothing."""


def run_example(line, folder):
    arguments = shlex.split(line)[1:]
    done = subprocess.run(
        [PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    assert done.stdout.strip()


def test_quick_examples_run(folder, rnn_edge, monkeypatch):
    quick = [line for _, marks, line in examples() if not marks]
    assert len(quick) > 5
    monkeypatch.chdir(folder)
    run_example(quick.pop(0), folder)
    for line in quick:
        # In this process, which has loaded everything already.
        result = rnn_edge(*shlex.split(line)[1:])
        assert result.code == 0, f"{line}\n{result.out}\n{result.err}"
        assert result.out.strip()


def test_the_download_runs_against_a_local_server(folder, served):
    lines = [line for _, marks, line in examples() if marks == ["served"]]
    url, digest = served
    for line in lines:
        run_example(f"{line} --url {url} --sha256 {digest}", folder)
    assert (
        hashlib.sha256(
            (folder / "downloads" / "speech_commands_v0.02.tar.gz").read_bytes()
        ).hexdigest()
        == digest
    )


@pytest.mark.slow
def test_slow_examples_run(folder):
    pytest.importorskip("tensorflow", reason="building needs TensorFlow")
    run_example("rnn-edge new anomaly machine", folder)
    slow = [line for _, marks, line in examples() if marks == ["slow"]]
    assert len(slow) > 5
    for line in slow:
        run_example(line, folder)
