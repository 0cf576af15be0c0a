"""Jobs in this process and over processes: every result once, whatever dies."""

import os
import time

import fleet_jobs
import pytest

from rnn_edge.drift.fleet import Cluster, Here, Job, Processes, run_jobs
from rnn_edge.drift.fleet.parcels import Parcel, pack, run, unpack
from rnn_edge.errors import EngineError, EnvironmentFailureError, RnnEdgeError

PLACES = [Here(), Processes(2)]


@pytest.mark.parametrize("where", PLACES, ids=str)
def test_results_stand_in_the_order_of_the_jobs(where):
    told = []
    jobs = [Job(f"job {k}", fleet_jobs.last_first, (k, 5)) for k in range(5)]
    results = run_jobs(jobs, where, lambda done, total: told.append((done, total)))
    assert list(results.values.items()) == [(f"job {k}", k) for k in range(5)]
    assert not results.is_partial
    assert told == [(k, 5) for k in range(1, 6)]


@pytest.mark.parametrize("where", [*PLACES, Cluster("tcp://127.0.0.1:1")], ids=str)
def test_no_jobs_have_no_results(where):
    results = run_jobs([], where)
    assert results.values == {}
    assert not results.is_partial


def test_processes_are_others_and_as_many_as_wanted():
    jobs = [Job(str(k), fleet_jobs.process_id) for k in range(12)]
    assert set(run_jobs(jobs, Here()).values.values()) == {os.getpid()}
    ids = set(run_jobs(jobs, Processes(2)).values.values())
    assert os.getpid() not in ids
    assert 1 <= len(ids) <= 2


@pytest.mark.parametrize("where", PLACES, ids=str)
def test_an_error_comes_back_as_itself_with_its_job(where):
    jobs = [Job("good", fleet_jobs.wait_for, (0,)), Job("bad", fleet_jobs.refuse, ("c",))]
    with pytest.raises(EngineError) as caught:
        run_jobs(jobs, where)
    assert caught.value.message == "Job 'bad': Engine 'c' is broken."
    assert caught.value.hint == "mend it"
    assert str(caught.value).startswith("Job 'bad': ")


@pytest.mark.parametrize("where", PLACES, ids=str)
@pytest.mark.parametrize(
    ("function", "error"),
    [(fleet_jobs.fail, ZeroDivisionError), (fleet_jobs.time_out, TimeoutError)],
)
def test_a_fault_comes_back_as_itself_with_its_job(where, function, error):
    with pytest.raises(error) as caught:
        run_jobs([Job("bad", function)], where)
    assert "in job 'bad'" in caught.value.__notes__


def test_a_process_that_dies_loses_and_doubles_nothing(tmp_path):
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    jobs = [Job(str(k), fleet_jobs.statistics, (k, str(tokens), 0.02)) for k in range(10)]
    jobs.insert(4, Job("dies once", fleet_jobs.die_once, (str(tmp_path),)))
    results = run_jobs(jobs, Processes(2))
    assert list(results.values) == [job.name for job in jobs]
    assert results.values["dies once"] == "alive"
    found = [value["token"] for name, value in results.values.items() if name != "dies once"]
    assert len(set(found)) == 10
    assert set(found) <= {path.name for path in tokens.iterdir()}
    # Only what ran beside the process that died can have run twice.
    assert len(list(tokens.iterdir())) <= 11


def test_a_job_that_ends_its_process_each_time_is_named_and_its_neighbour_is_not():
    jobs = [Job("innocent", fleet_jobs.wait_for, (0.3,)), Job("guilty", fleet_jobs.die)]
    done = []
    with pytest.raises(EnvironmentFailureError, match="Job 'guilty': its process died 2 times"):
        run_jobs(jobs, Processes(2, tries=2), lambda *numbers: done.append(numbers))


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("where", [Here(), Processes(1)], ids=str)
def test_an_interrupt_hands_back_what_finished(where):
    jobs = [
        Job("first", fleet_jobs.wait_for, (0,)),
        Job("second", fleet_jobs.wait_for, (0,)),
        Job("interrupts", fleet_jobs.interrupt, (os.getpid(),)),
        Job("never", fleet_jobs.wait_for, (120,)),
    ]
    begin = time.monotonic()
    results = run_jobs(jobs, where)
    assert time.monotonic() - begin < 100
    assert results.is_partial
    assert results.total == 4
    assert results.values == {"first": 0, "second": 0}


def test_an_interrupt_while_telling_is_one_too():
    def tell(done, total):
        if done == 2:
            raise KeyboardInterrupt

    jobs = [Job(str(k), fleet_jobs.wait_for, (0,)) for k in range(4)]
    assert list(run_jobs(jobs, Here(), tell).values) == ["0", "1"]


def test_jobs_that_cannot_be_sent_are_refused_before_any_runs(tmp_path):
    good = Job("good", fleet_jobs.statistics, (1, str(tmp_path)))
    with pytest.raises(RnnEdgeError, match="Job 'bad' cannot be sent to another process"):
        run_jobs([good, Job("bad", lambda: 0)], Processes(1))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RnnEdgeError, match="'good' is the name of two"):
        run_jobs([good, good], Here())


def test_a_result_that_cannot_be_sent_is_named():
    with pytest.raises(RnnEdgeError, match="Job 'x': Result function cannot be sent back"):
        run_jobs([Job("x", fleet_jobs.unsendable)], Processes(1))


def test_a_worker_without_the_packages_or_of_another_version_says_so():
    elsewhere = pack(Job("x", fleet_jobs.fail))
    content = elsewhere.content.replace(b"fleet_jobs", b"fleet_jabs")
    with pytest.raises(EnvironmentFailureError, match=r"Job 'x': Worker on .* cannot load it: Mod"):
        unpack("x", run(Parcel("x", content)))
    with pytest.raises(EnvironmentFailureError, match=r"has rnn-edge .*; expected 0\.0\.0"):
        unpack("x", run(Parcel("x", elsewhere.content, "0.0.0")))


@pytest.mark.parametrize(
    "make",
    [lambda: Processes(0), lambda: Processes(2, tries=0), lambda: Cluster("127.0.0.1:8786")],
)
def test_places_that_are_none_are_refused(make):
    with pytest.raises(RnnEdgeError, match=r"expected (at least 1|tcp://HOST:PORT)\."):
        make()


def test_addresses_with_names_and_of_both_families_are_taken():
    for address in ("tcp://host-1.lan:8786", "tcp://[::1]:8786", "tls://10.0.0.1:1"):
        assert Cluster(address).address == address
