"""Command lines run in the test's own process: to load TensorFlow anew takes longer than most."""

import contextlib
import io
import shlex
import warnings

from rnn_edge.cli.main import run


def run_here(line, folder):
    """Run a command line, which has to succeed, in a folder, and return what it prints."""
    program, *arguments = shlex.split(line)
    assert program == "rnn-edge", line
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(),
    ):
        # As in a process of its own; a warning that is shown shows up among the errors.
        warnings.simplefilter("default")
        code = run(arguments)
    assert code == 0, f"{line}\n{out.getvalue()}\n{err.getvalue()}"
    assert "Traceback" not in err.getvalue()
    assert "Warning" not in err.getvalue()
    assert out.getvalue().strip()
    return out.getvalue()
