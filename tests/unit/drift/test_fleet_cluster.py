"""Jobs on a Dask cluster of this machine: scheduler and workers are processes of their own."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import fleet_jobs
import numpy as np
import pytest

from rnn_edge import extras
from rnn_edge.drift.fleet import Cluster, Here, Job, cluster, run_jobs
from rnn_edge.errors import EngineError, EnvironmentFailureError, MissingDependencyError

distributed = pytest.importorskip("distributed", reason="the extra 'fleet' is not installed")

JOBS = 24
START_S = 60.0


def ended(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def program(*words, folder):
    """A program of Dask, until the block ends; what it says goes into a file."""
    support = str(Path(fleet_jobs.__file__).parent)
    with (folder / "said.txt").open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            stdout=said,
            stderr=said,
            stdin=subprocess.DEVNULL,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": support},
        )
    try:
        yield process
    finally:
        ended(process)


@contextmanager
def scheduler(folder):
    """The process of a scheduler and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--no-dashboard")
    with program(*words, "--port", str(port), folder=folder) as process:
        deadline = time.monotonic() + START_S
        while True:
            assert process.poll() is None
            assert time.monotonic() < deadline
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield process, f"tcp://127.0.0.1:{port}"


def worker(address, folder):
    words = ("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny")
    return program(*words, "--no-dashboard", "--local-directory", str(folder), folder=folder)


@pytest.fixture
def running(tmp_path):
    """A scheduler with two workers: the processes and the address."""
    with ExitStack() as stack:
        server, address = stack.enter_context(scheduler(tmp_path))
        workers = [stack.enter_context(worker(address, tmp_path)) for _ in range(2)]
        with distributed.Client(address, timeout=START_S, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=START_S)
        yield server, workers, Cluster(address, connect_s=START_S)


def streams(folder, seconds):
    folder.mkdir()
    return [
        Job(f"stream {k}", fleet_jobs.statistics, (k, str(folder), seconds)) for k in range(JOBS)
    ]


def merged(results):
    values = results.values.values()
    return {key: np.sum([value[key] for value in values]) for key in ("count", "sum", "squares")}


@pytest.mark.slow
def test_a_killed_worker_loses_and_doubles_no_result(running, tmp_path):
    _, workers, where = running
    jobs = streams(tmp_path / "tokens", 0.3)
    progress = []

    def tell(done, total):
        progress.append(done)
        if done == JOBS // 2:
            # Some are done, one is running in each worker, and others wait there.
            workers[0].kill()

    results = run_jobs(jobs, where, tell)
    assert workers[0].wait() == -signal.SIGKILL
    assert workers[1].poll() is None
    assert progress == list(range(1, JOBS + 1))
    assert list(results.values) == [job.name for job in jobs]
    assert [value["seed"] for value in results.values.values()] == list(range(JOBS))
    tokens = [value["token"] for value in results.values.values()]
    left = {path.name for path in (tmp_path / "tokens").iterdir()}
    assert len(set(tokens)) == JOBS
    assert set(tokens) <= left
    # What the dead worker had done and nobody had fetched is run again and leaves another token;
    # no more than two jobs for each thread are on their way at any time.
    assert len(left) <= JOBS + 4
    pids = {token.split("-")[1] for token in tokens}
    assert pids == {str(process.pid) for process in workers}
    sequential = run_jobs(streams(tmp_path / "again", 0), Here())
    assert merged(results) == merged(sequential)


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_a_cluster_runs_what_a_process_runs(running):
    _, _, where = running
    jobs = [Job(f"job {k}", fleet_jobs.last_first, (k, 6)) for k in range(6)]
    assert list(run_jobs(jobs, where).values.values()) == list(range(6))
    # More than Dask likes to send without a warning.
    block = bytes(12_000_000)
    assert run_jobs([Job("large", fleet_jobs.size_of, (block,))], where).values == {
        "large": len(block)
    }
    with pytest.raises(EngineError, match="Job 'bad': Engine 'c' is broken") as caught:
        run_jobs([*jobs, Job("bad", fleet_jobs.refuse, ("c",))], where)
    assert caught.value.hint == "mend it"
    for function, error in (
        (fleet_jobs.fail, ZeroDivisionError),
        (fleet_jobs.time_out, TimeoutError),
    ):
        with pytest.raises(error) as caught:
            run_jobs([Job("bad", function)], where)
        assert "in job 'bad'" in caught.value.__notes__

    def interrupt_soon(done, total):
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()

    begin = time.monotonic()
    late = [Job("first", fleet_jobs.wait_for, (0,)), Job("long", fleet_jobs.wait_for, (120,))]
    results = run_jobs(late, where, interrupt_soon)
    assert time.monotonic() - begin < 100
    assert results.is_partial
    assert results.values == {"first": 0}


@pytest.mark.slow
def test_a_job_that_ends_every_worker_is_named(tmp_path):
    with ExitStack() as stack:
        _, address = stack.enter_context(scheduler(tmp_path))
        for _ in range(5):
            stack.enter_context(worker(address, tmp_path))
        where = Cluster(address, connect_s=START_S)
        with pytest.raises(EnvironmentFailureError, match="Job 'guilty': 4 workers died"):
            run_jobs([Job("guilty", fleet_jobs.die)], where)


@pytest.mark.slow
def test_a_scheduler_or_all_workers_that_go_are_told(running):
    server, workers, where = running
    patient = Cluster(where.address, where.connect_s, patience_s=1.0)
    jobs = [Job(str(k), fleet_jobs.wait_for, (0.2,)) for k in range(50)]

    def end_workers(done, total):
        if done == 4:
            for process in workers:
                process.kill()

    with pytest.raises(EnvironmentFailureError, match=r"has had no worker for 1 s; \d+ jobs have"):
        run_jobs(jobs, patient, end_workers)
    assert server.poll() is None


@pytest.mark.slow
def test_a_scheduler_that_goes_is_told(running):
    server, _, where = running
    jobs = [Job(str(k), fleet_jobs.wait_for, (0.2,)) for k in range(50)]
    begin = time.monotonic()
    with pytest.raises(EnvironmentFailureError, match=r"Scheduler tcp://127\.0\.0\.1:\d+ is gone"):
        run_jobs(jobs, where, lambda done, total: server.kill() if done == 4 else None)
    assert time.monotonic() - begin < 120


def versions(**changed):
    own = {"python": "3.11.7.final.0", "distributed": "2026.8.0", "numpy": "2.3.1"}
    own["rnn_edge"] = "0.3.0"
    return {"packages": {**own, **changed}}


class Versions:
    """A client whose cluster says what it holds."""

    def __init__(self, server, *workers):
        self._found = {
            "client": versions(),
            "scheduler": server,
            "workers": {f"tcp://w{k}:1": each for k, each in enumerate(workers)},
        }

    def get_versions(self, packages):
        assert packages == ["rnn_edge"]
        return self._found


def test_versions_that_do_no_harm_are_taken():
    where = Cluster("tcp://h:1")
    other = versions(numpy="2.1.0", python="3.11.2.final.0")
    # A scheduler runs no job.
    bare = versions(numpy=None, rnn_edge=None)
    cluster._check_versions(Versions(bare, versions(), other), where)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (Versions(versions(distributed="2025.1.0")), "the scheduler has distributed 2025.1.0; exp"),
        (Versions(versions(), versions(rnn_edge=None)), "w0:1 has rnn-edge .not installed.; exp"),
        (Versions(versions(), versions(), versions(rnn_edge="0.2.0")), "w1:1 has rnn-edge 0.2.0"),
        (Versions(versions(), versions(python="3.12.7.final.0")), "has python 3.12.7"),
        (Versions(versions(), versions(numpy="1.26.4")), "has numpy 1.26.4; expected 2.3.1"),
    ],
)
def test_other_versions_are_refused(found, message):
    with pytest.raises(EnvironmentFailureError, match=message) as caught:
        cluster._check_versions(found, Cluster("tcp://h:1"))
    assert "pip install 'rnn-edge[fleet]==0.3.0' 'distributed==2026.8.0'" in caught.value.hint


def test_a_scheduler_that_is_not_there_is_told_soon():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        begin = time.monotonic()
        with pytest.raises(EnvironmentFailureError, match=r"within 0\.5 s: ") as caught:
            run_jobs([Job("x", fleet_jobs.fail)], Cluster(address, connect_s=0.5))
    # Dask itself would wait for half a minute.
    assert time.monotonic() - begin < 25
    assert "dask scheduler" in caught.value.hint


def test_a_server_that_is_no_scheduler_is_told_soon():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        begin = time.monotonic()
        with pytest.raises(EnvironmentFailureError, match=r"within 0\.5 s: "):
            run_jobs([Job("x", fleet_jobs.fail)], Cluster(address, connect_s=0.5))
    # Dask itself would wait for half a minute.
    assert time.monotonic() - begin < 25


@pytest.mark.slow
def test_a_cluster_without_workers_is_told_soon(tmp_path):
    with scheduler(tmp_path) as (_, address):
        begin = time.monotonic()
        with pytest.raises(EnvironmentFailureError, match="has no worker; expected one") as caught:
            run_jobs([Job("x", fleet_jobs.fail)], Cluster(address, connect_s=6.0))
    assert time.monotonic() - begin < 60
    assert caught.value.hint == f"dask worker {address}"


def test_dask_that_is_missing_is_named(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    with pytest.raises(MissingDependencyError, match="distributed is not installed") as caught:
        run_jobs([Job("x", fleet_jobs.fail)], Cluster("tcp://127.0.0.1:1"))
    assert caught.value.hint == "pip install 'rnn-edge[fleet]'"
