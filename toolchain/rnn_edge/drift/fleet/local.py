"""Jobs over processes on this machine."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from rnn_edge.drift.fleet import parcels
from rnn_edge.drift.fleet.jobs import Processes
from rnn_edge.drift.fleet.parcels import Parcel, named
from rnn_edge.errors import EnvironmentFailureError


def outcomes(jobs: Sequence[Parcel], where: Processes) -> Iterator[tuple[int, bytes]]:
    """Yield index and outcome of each job, in the order in which they finish.

    A process that dies takes its whole pool with it, and nobody says which one it was. What
    finished before is kept; each job that was running is then run alone, where a further death can
    be no other job's.

    Raises:
        EnvironmentFailureError: If a job's process dies each time, naming the job.
    """
    waiting = deque(range(len(jobs)))
    while waiting:
        suspects = yield from _together(jobs, waiting, min(where.count, len(waiting)))
        for index in suspects:
            yield index, _alone(jobs[index], where.tries)


def _together(
    jobs: Sequence[Parcel], waiting: deque[int], count: int
) -> Generator[tuple[int, bytes], None, list[int]]:
    """Run what is waiting, and return what was running when a process died."""
    pool = _pool(count)
    running: dict[Future[bytes], int] = {}
    try:
        while waiting or running:
            # No more than can run: what is queued in a pool that dies would be suspected, too.
            while waiting and len(running) < count:
                future = pool.submit(parcels.run, jobs[waiting[0]])
                running[future] = waiting.popleft()
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                with named(jobs[running[future]].name):
                    outcome = future.result()
                yield running.pop(future), outcome
    except BrokenProcessPool:
        lost = []
        for future, index in running.items():
            if future.done() and future.exception() is None:
                yield index, future.result()
            else:
                lost.append(index)
        return lost
    finally:
        _end(pool, is_busy=bool(running))
    return []


def _alone(job: Parcel, tries: int) -> bytes:
    for _ in range(tries):
        pool = _pool(1)
        is_busy = True
        try:
            with named(job.name):
                outcome = pool.submit(parcels.run, job).result()
            is_busy = False
        except BrokenProcessPool:
            continue
        finally:
            _end(pool, is_busy=is_busy)
        return outcome
    raise EnvironmentFailureError(
        f"Job {job.name!r}: its process died {tries} times, running nothing else; expected a "
        "result.",
        "see whether the system ended it for want of memory (dmesg), and use fewer processes",
    )


def _pool(count: int) -> ProcessPoolExecutor:
    # Spawned: a copy of this process would hold locks of threads that it does not have.
    return ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=_leave_interrupts_to_the_parent
    )


def _leave_interrupts_to_the_parent() -> None:
    """A terminal sends Ctrl-C to every process; one of them has to answer it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end(pool: ProcessPoolExecutor, *, is_busy: bool) -> None:
    """End the processes: at once where they are busy, since what they do is not wanted."""
    if is_busy:
        # Before Python 3.14 there is no other way to end a job that runs.
        for process in list((pool._processes or {}).values()):
            process.kill()
    pool.shutdown(wait=True, cancel_futures=True)
