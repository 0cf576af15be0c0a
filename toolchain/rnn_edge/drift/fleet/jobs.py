"""What a fleet runs, where it runs, and what comes back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rnn_edge.errors import RnnEdgeError

Tell = Callable[[int, int], None]
"""Called with the number of jobs that finished and of all jobs, after each that does."""

_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):\d{1,5}")


@dataclass(frozen=True, eq=False)
class Job:
    """One call.

    Elsewhere than in this process a job may be run again when what ran it is lost, so that a job
    that writes must be able to do so twice.

    Attributes:
        name: Unlike that of every other job; for messages.
        function: Defined at the top of a module, so that it can be pickled by its name.
        arguments: What it is called with; must be picklable, as its result must be.
    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Here:
    """In this process, one job after the other."""


@dataclass(frozen=True)
class Processes:
    """Over processes on this machine, one job in each at a time.

    Attributes:
        count: How many, at least 1.
        tries: How often a job is run alone, at least 1, after a process died that may have been
            running it: a job that ends its process each time is then named.

    Raises:
        RnnEdgeError: If a number is not positive.
    """

    count: int
    tries: int = 3

    def __post_init__(self) -> None:
        for what, value in (("processes", self.count), ("tries", self.tries)):
            if value < 1:
                raise RnnEdgeError(f"Number of {what}: {value}; expected at least 1.")


@dataclass(frozen=True)
class Cluster:
    """On the workers of a Dask cluster, which have to hold the same versions as this process.

    Dask runs what its users send it, without asking: a scheduler belongs into a network whose
    machines are trusted, or behind TLS.

    Attributes:
        address: Of the scheduler, as it prints it: ``tcp://HOST:PORT``.
        connect_s: How long to wait for the scheduler and for its first worker, together.
        patience_s: How long to wait for another worker when the last one is gone.

    Raises:
        RnnEdgeError: If that is no such address.
    """

    address: str
    connect_s: float = 10.0
    patience_s: float = 60.0

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.address):
            raise RnnEdgeError(
                f"Address of a scheduler: {self.address!r}; expected tcp://HOST:PORT.",
                "start one with 'dask scheduler': it prints its address",
            )


Where = Here | Processes | Cluster


@dataclass(frozen=True, eq=False)
class JobResults:
    """What jobs returned.

    Attributes:
        values: Result by name of the job, in the order of the jobs, whatever the order in which
            they finished; only of those that did.
        total: Number of jobs.
    """

    values: Mapping[str, Any]
    total: int

    @property
    def is_partial(self) -> bool:
        """Whether the run was interrupted before every job had finished."""
        return len(self.values) < self.total
