"""The examples of docs/cli.md run as they stand, and every command has one."""

import functools
import hashlib
import http.server
import os
import shlex
import threading

import click
import pytest
from cli_examples import BLOCK, DOCS, examples, run_example, write_files

from rnn_edge.cli.program import cli


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
    return write_files(tmp_path)


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
