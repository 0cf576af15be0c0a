"""The command starts at once, explains itself, and loads only what it uses."""

import errno
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from rnn_edge import __version__
from rnn_edge.cli.program import cli, run_command
from rnn_edge.spec.load import shipped

PROGRAM = Path(sys.executable).with_name("rnn-edge")
HEAVY = ("tensorflow", "keras", "numpy", "pydantic", "rich", "onnx", "matplotlib")
MAX_START_S = 0.5


def every_command(group=cli, prefix=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*prefix, name)
        if isinstance(command, click.Group):
            yield from every_command(command, (*prefix, name))


def processor_s():
    """Processor time of all programs that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_starts_within_half_a_second():
    # Of the processor, as other programs take time away; and a busy one is slower than it could be.
    fastest = float("inf")
    for _ in range(20):
        begin_s, clock_s = processor_s(), time.monotonic()
        subprocess.run([PROGRAM, "--help"], check=True, capture_output=True)
        fastest = min(fastest, processor_s() - begin_s)
        # It waits for nothing besides.
        assert time.monotonic() - clock_s < 60
        if fastest < MAX_START_S:
            break
    assert fastest < MAX_START_S


@pytest.mark.parametrize("arguments", [["--help"], ["build", "--help"], ["completion", "zsh"]])
def test_help_loads_nothing_heavy(arguments):
    code = (
        "import sys\n"
        "from rnn_edge.cli.main import run\n"
        f"run({arguments!r})\n"
        f"heavy = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "sys.exit(','.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", list(every_command()), ids=" ".join)
def test_every_command_has_help(rnn_edge, command):
    result = rnn_edge(*command, "--help")
    assert result.code == 0
    assert f"Usage: rnn-edge {' '.join(command)}" in result.out
    described = [line for line in result.out.splitlines() if line.startswith("  -")]
    assert described
    assert len(result.out.splitlines()[2].strip()) > 10


@pytest.mark.parametrize("command", list(every_command()), ids=" ".join)
def test_every_option_has_help(command):
    found = cli
    for name in command:
        found = found.get_command(click.Context(found), name)
    options = [p for p in found.params if isinstance(p, click.Option)]
    assert [p.name for p in options if not p.help] == []


def test_the_version_is_told(rnn_edge):
    assert rnn_edge("--version").out.strip() == f"rnn-edge, version {__version__}"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_program(rnn_edge, shell):
    result = rnn_edge("completion", shell)
    assert result.code == 0
    assert "_RNN_EDGE_COMPLETE" in result.out


def test_completion_of_commands_and_options(monkeypatch):
    def complete(words, position):
        environment = {
            "_RNN_EDGE_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(position),
            "PATH": "/usr/bin:/bin",
        }
        done = subprocess.run(
            [PROGRAM], env=environment, capture_output=True, text=True, check=True
        )
        return [line.split(",")[1] for line in done.stdout.splitlines()]

    assert complete("rnn-edge ev", 1) == ["evaluate"]
    assert "--seed" in complete("rnn-edge build --s", 2)
    assert complete("rnn-edge data in", 2) == ["inspect"]
    assert complete("rnn-edge new a", 2) == ["anomaly"]


def test_help_of_completion_keeps_a_line_for_each_shell(rnn_edge):
    lines = [line.strip() for line in rnn_edge("completion", "--help").out.splitlines()]
    assert "\\b" not in lines
    for shell in ("bash:", "zsh:", "fish:"):
        assert sum(line.startswith(shell) for line in lines) == 1


def test_quiet_leaves_the_path_of_the_spec(rnn_edge, tmp_path):
    assert rnn_edge("new", "kws", tmp_path / "q", "-q").out == f"{tmp_path}/q/spec.toml\n"


def test_quiet_leaves_what_is_missing(rnn_edge):
    quiet, found = rnn_edge("doctor", "-q").out, rnn_edge("doctor", "--json").json
    assert quiet.splitlines() == [c["name"] for c in found["checks"] if not c["is_found"]]


def test_an_output_that_takes_nothing_is_told_without_a_traceback():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [PROGRAM, "devices", "show", "qemu-m4", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The output cannot be written: No space left on device.")
    assert "Traceback" not in done.stderr


def test_a_full_file_is_not_taken_for_the_output(monkeypatch, capsys):
    def full(*rest, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cli, "main", full)
    assert run_command(["devices"]) == 1
    assert "Error: The system refused: No space left on device." in capsys.readouterr().err


def test_the_help_of_build_names_every_shipped_spec(rnn_edge):
    told = rnn_edge("build", "--help").out
    missing = [name for name in shipped("models") if name not in told]
    assert not missing
