"""Jobs on the workers of a Dask cluster."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from rnn_edge.drift.fleet import parcels
from rnn_edge.drift.fleet.jobs import Cluster
from rnn_edge.drift.fleet.parcels import Parcel, named
from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.extras import require

_POLL_S = 0.02
_LOOK_S = 2.0
"""How often to look which workers there are."""
_GATHER_S = 60.0
_IN_FLIGHT = 2
"""Jobs for each thread of the workers: one runs while the next one's arguments travel, and the
scheduler never has to hold the arguments of all."""
_LOGGERS = ("distributed", "distributed.client")
# What has to agree, and how many parts of its version: bytes are exchanged between Pythons, by
# Dask's protocol, and hold arrays of numpy.
_EVERYWHERE: Mapping[str, int] = {"python": 2, "distributed": 3}
_ON_WORKERS: Mapping[str, int] = {**_EVERYWHERE, "rnn_edge": 9, "numpy": 1}


def outcomes(jobs: Sequence[Parcel], where: Cluster) -> Iterator[tuple[int, bytes]]:
    """Yield index and outcome of each job, once each, in the order in which they finish.

    Dask gives the jobs of a worker that dies to another one.

    Raises:
        MissingDependencyError: If Dask is not installed.
        EnvironmentFailureError: If the cluster cannot be reached, has other versions, loses its
            scheduler or all workers, or if a job's workers die each time.
    """
    distributed = require("distributed", "fleet", "a Dask cluster")
    with _quiet(), _connected(distributed, where) as client:
        _check_versions(client, where)
        yield from _run(distributed, client, jobs, where)


def _run(
    distributed: Any,  # noqa: ANN401 - no types
    client: Any,  # noqa: ANN401 - no types
    jobs: Sequence[Parcel],
    where: Cluster,
) -> Iterator[tuple[int, bytes]]:
    waiting = deque(range(len(jobs)))
    running: dict[Any, int] = {}
    finished = distributed.as_completed(loop=client.loop)
    name = f"rnn-edge-{uuid.uuid4().hex}"
    watch = _Watch(client, where)
    try:
        while waiting or running:
            while waiting and len(running) < watch.threads * _IN_FLIGHT:
                index = waiting.popleft()
                # Of a name of its own: Dask would give one result to jobs that look the same.
                future = client.submit(parcels.run, jobs[index], key=f"{name}-{index}", pure=False)
                running[future] = index
                finished.add(future)
            batch = finished.next_batch(block=False)
            if not batch:
                time.sleep(_POLL_S)
                watch.look(len(waiting) + len(running))
            for future in batch:
                outcome = _outcome(distributed, future, jobs[running[future]].name, where)
                if outcome is None:
                    finished.add(future)
                else:
                    yield running.pop(future), outcome
    finally:
        if running and client.status == "running":
            client.cancel(list(running), force=True)


class _Watch:
    """Knows how many jobs the cluster can run.

    Args:
        client: Connected.
        where: The cluster; it has a worker.

    Attributes:
        threads: Of all workers, when they were last counted.
    """

    def __init__(self, client: Any, where: Cluster) -> None:  # noqa: ANN401 - no types
        self._client = client
        self._where = where
        self._seen = self._looked = time.monotonic()
        self.threads = _threads(client)

    def look(self, left: int) -> None:
        """Count again, where the last count is old.

        Args:
            left: Number of jobs that have not finished.

        Raises:
            EnvironmentFailureError: If the scheduler is gone, or every worker for too long.
        """
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        if self._client.status != "running":
            raise _lost(self._where)
        try:
            threads = _threads(self._client)
        except OSError as error:
            raise _lost(self._where) from error
        if threads:
            self._seen, self.threads = now, threads
        elif now - self._seen > self._where.patience_s:
            raise EnvironmentFailureError(
                f"Cluster {self._where.address} has had no worker for "
                f"{self._where.patience_s:g} s; {left} jobs have not finished.",
                f"dask worker {self._where.address}",
            )


def _threads(client: Any) -> int:  # noqa: ANN401 - no types
    return sum(client.nthreads().values())


def _lost(where: Cluster) -> EnvironmentFailureError:
    return EnvironmentFailureError(
        f"Scheduler {where.address} is gone; expected it to stay until every job has finished.",
        "see what it printed last, start it again with 'dask scheduler', and run this again",
    )


def _outcome(
    distributed: Any,  # noqa: ANN401 - no types
    future: Any,  # noqa: ANN401 - no types
    name: str,
    where: Cluster,
) -> bytes | None:
    """Return what came of a finished job, or None where it went with its worker and runs again."""
    if future.status in ("cancelled", "lost"):
        raise _lost(where)
    if future.status == "error":
        error = future.exception()
        if isinstance(error, distributed.KilledWorker):
            raise EnvironmentFailureError(
                f"Job {name!r}: {error.allowed_failures + 1} workers died while they ran it; "
                "expected a result.",
                "see whether they were ended for want of memory: the logs of 'dask worker' say so",
            ) from error
        with named(name):
            raise error
    try:
        outcome: bytes = future.result(timeout=_GATHER_S)
    except TimeoutError:
        return None
    except CancelledError as error:
        raise _lost(where) from error
    return outcome


async def _greet(distributed: Any, where: Cluster) -> None:  # noqa: ANN401 - no types
    """Exchange first words with a scheduler.

    Raises:
        OSError: If there is no connection.
        TimeoutError: If there is no answer.
    """
    secrets = distributed.Security().get_connection_args("client")
    connecting = distributed.comm.connect(where.address, timeout=where.connect_s, **secrets)
    (await asyncio.wait_for(connecting, where.connect_s)).abort()


@contextmanager
def _connected(distributed: Any, where: Cluster) -> Iterator[Any]:  # noqa: ANN401 - no types
    """Give a client of a scheduler that has a worker."""
    deadline = time.monotonic() + where.connect_s
    try:
        # A client waits for ever for the first word of a server that is no scheduler.
        with ThreadPoolExecutor(1) as loop:
            loop.submit(asyncio.run, _greet(distributed, where)).result()
        left_s = max(1.0, deadline - time.monotonic())
        client = distributed.Client(where.address, timeout=left_s, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise EnvironmentFailureError(
            f"Scheduler {where.address} cannot be reached within {where.connect_s:g} s: "
            f"{(str(error) or 'no answer').splitlines()[0]}.",
            "start one with 'dask scheduler': it prints its address; or run without a cluster",
        ) from error
    try:
        while not _threads(client):
            if time.monotonic() > deadline:
                raise EnvironmentFailureError(
                    f"Cluster {where.address} has no worker; expected one within "
                    f"{where.connect_s:g} s.",
                    f"dask worker {where.address}",
                )
            time.sleep(_POLL_S)
        yield client
    finally:
        client.close(timeout=_LOOK_S)


def _check_versions(client: Any, where: Cluster) -> None:  # noqa: ANN401 - no types
    """Refuse a cluster on which the jobs would not be the same.

    Raises:
        EnvironmentFailureError: Naming the first place and package that differ.
    """
    found = client.get_versions(packages=["rnn_edge"])
    own = found["client"]["packages"]
    _compare(where, "the scheduler", own, found["scheduler"]["packages"], _EVERYWHERE)
    for address, each in sorted(found["workers"].items()):
        _compare(where, f"worker {address}", own, each["packages"], _ON_WORKERS)


def _compare(
    where: Cluster,
    place: str,
    own: Mapping[str, str | None],
    other: Mapping[str, str | None],
    wanted: Mapping[str, int],
) -> None:
    for package, parts in wanted.items():
        here, there = own[package], other.get(package)
        if (here or "").split(".")[:parts] != (there or "").split(".")[:parts]:
            title = package.replace("_", "-")
            raise EnvironmentFailureError(
                f"Cluster {where.address}: {place} has {title} {there or '(not installed)'}; "
                f"expected {here}, as here.",
                "install the same packages for the same Python everywhere: pip install "
                f"'rnn-edge[fleet]=={own['rnn_edge']}' 'distributed=={own['distributed']}'",
            )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from writing beside the errors that say the same."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            # Of versions, which are compared here, and of arguments of more than 10 MB.
            warnings.filterwarnings("ignore", module=r"distributed(\.|$)")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
