"""Jobs and their outcomes as bytes, so that every place runs them and fails in the same way."""

from __future__ import annotations

import pickle
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rnn_edge import __version__
from rnn_edge.drift.fleet.jobs import Job
from rnn_edge.errors import EnvironmentFailureError, RnnEdgeError

_UNFIT = (pickle.PicklingError, TypeError, AttributeError, RecursionError)
_UNKNOWN = (pickle.UnpicklingError, ImportError, AttributeError)


@dataclass(frozen=True)
class Parcel:
    """A job on its way.

    Attributes:
        name: The job's.
        content: Function and arguments, pickled.
        version: Of the package that packed it.
    """

    name: str
    content: bytes
    version: str = __version__


def pack(job: Job) -> Parcel:
    """Return a job as bytes.

    Raises:
        RnnEdgeError: If it cannot be pickled.
    """
    try:
        return Parcel(job.name, pickle.dumps((job.function, job.arguments)))
    except _UNFIT as error:
        raise RnnEdgeError(
            f"Job {job.name!r} cannot be sent to another process: {error}; expected a function at "
            "the top of a module, and arguments that can be pickled.",
        ) from error


def run(parcel: Parcel) -> bytes:
    """Run a job where it arrived; return what came of it, pickled, to be given to `unpack`."""
    try:
        outcome = True, _result(parcel)
    except RnnEdgeError as error:
        # Returned and not raised: nobody on the way takes it for a fault of the worker.
        outcome = False, error
    try:
        return pickle.dumps(outcome)
    except _UNFIT as error:
        kind = type(outcome[1]).__name__
        refusal = RnnEdgeError(
            f"Result {kind} cannot be sent back: {error}; expected one that can be pickled."
        )
        return pickle.dumps((False, refusal))


def _result(parcel: Parcel) -> Any:  # noqa: ANN401 - what the job returns
    if parcel.version != __version__:
        raise EnvironmentFailureError(
            f"Worker on {platform.node()} has rnn-edge {__version__}; expected {parcel.version}.",
            f"pip install 'rnn-edge[fleet]=={parcel.version}' there",
        )
    try:
        function, arguments = pickle.loads(parcel.content)
    except _UNKNOWN as error:
        raise EnvironmentFailureError(
            f"Worker on {platform.node()} cannot load it: {type(error).__name__}: {error}; "
            "expected the packages that are installed here.",
            "install them there; what is defined in a script that is run cannot be sent",
        ) from error
    return function(*arguments)


def unpack(name: str, outcome: bytes) -> Any:  # noqa: ANN401 - what the job returned
    """Return what a job returned.

    Raises:
        RnnEdgeError: What the job raised, with its name.
    """
    is_result, value = pickle.loads(outcome)
    if is_result:
        return value
    with named(name):
        raise value


@contextmanager
def named(name: str) -> Iterator[None]:
    """Name the job in what is raised, which stays what it is."""
    try:
        yield
    except RnnEdgeError as error:
        error.message = f"Job {name!r}: {error.message}"
        error.args = (error.message, *error.args[1:])
        raise
    except Exception as error:
        error.add_note(f"in job {name!r}")
        raise
