"""Where the streams of a drift measurement run: here, on more cores, or on a cluster."""

from __future__ import annotations

from collections.abc import Sequence

from rnn_edge.drift.closed_loop import RunningDrift
from rnn_edge.drift.fleet import Cluster, Job, Processes, run_jobs
from rnn_edge.pipeline.drift import Runner, Tell, run_here
from rnn_edge.pipeline.drift_job import DriftJob, run_job


def runner_for(workers: int, scheduler: str | None) -> Runner:
    """Return what runs the jobs of a measurement.

    Args:
        workers: Processes of this machine; 1 runs everything in this one.
        scheduler: Address of a Dask scheduler, which then takes the jobs.
    """
    if scheduler is None and workers == 1:
        return run_here
    where = Processes(workers) if scheduler is None else Cluster(scheduler)

    def run(jobs: Sequence[DriftJob], tell: Tell) -> list[RunningDrift]:
        found = run_jobs(
            [Job(job.name, run_job, (job,)) for job in jobs],
            where,
            lambda done, total: tell("drift streams", done, total),
        )
        if not found.values:
            # Nothing had finished when it was interrupted.
            raise KeyboardInterrupt
        return list(found.values.values())

    return run
