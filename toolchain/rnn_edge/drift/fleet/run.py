"""Runs jobs wherever they are wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Any

from rnn_edge.drift.fleet import cluster, local
from rnn_edge.drift.fleet.jobs import Cluster, Here, Job, JobResults, Processes, Tell, Where
from rnn_edge.drift.fleet.parcels import named, pack, unpack
from rnn_edge.errors import RnnEdgeError

_HERE = Here()


def run_jobs(
    jobs: Sequence[Job], where: Where = _HERE, tell: Tell = lambda done, total: None
) -> JobResults:
    """Run every job, and give back one result of each.

    A job whose process or worker dies is run again, and what is given back of it is one result all
    the same. KeyboardInterrupt ends what is running, and what finished before it is given back.

    Args:
        jobs: Their names differ.
        where: In this process, over processes, or on a cluster.
        tell: Called in this thread after each job.

    Returns:
        The results in the order of the jobs.

    Raises:
        RnnEdgeError: What a job raised, with its name; jobs that have not finished are given up.
            Also if two jobs have one name, or one of them cannot be sent.
        MissingDependencyError: If a cluster is wanted and Dask is not installed.
        EnvironmentFailureError: If the place cannot run the jobs, see `Processes` and `Cluster`.
    """
    twice = [name for name, count in Counter(job.name for job in jobs).items() if count > 1]
    if twice:
        raise RnnEdgeError(f"Jobs: {twice[0]!r} is the name of two; expected different names.")
    found: dict[int, Any] = {}
    try:
        with closing(_results(jobs, where)) as results:
            for index, value in results:
                found[index] = value
                tell(len(found), len(jobs))
    except KeyboardInterrupt:
        # The caller sees in the results that they are not all.
        pass
    return JobResults({jobs[index].name: found[index] for index in sorted(found)}, len(jobs))


def _results(jobs: Sequence[Job], where: Where) -> Generator[tuple[int, Any], None, None]:
    """Yield index and result of each job as it finishes."""
    if isinstance(where, Here):
        for index, job in enumerate(jobs):
            with named(job.name):
                value = job.function(*job.arguments)
            yield index, value
        return
    with closing(_outcomes(jobs, where)) as outcomes:
        for index, outcome in outcomes:
            yield index, unpack(jobs[index].name, outcome)


def _outcomes(
    jobs: Sequence[Job], where: Processes | Cluster
) -> Generator[tuple[int, bytes], None, None]:
    sent = [pack(job) for job in jobs]
    if isinstance(where, Processes):
        yield from local.outcomes(sent, where)
    elif sent:
        yield from cluster.outcomes(sent, where)
