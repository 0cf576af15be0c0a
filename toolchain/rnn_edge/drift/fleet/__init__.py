"""Many independent jobs, e.g. one for each stream: here, on this machine's cores, or on a cluster.

There is no scheduler in here: processes belong to `concurrent.futures`, clusters to Dask.
"""

from rnn_edge.drift.fleet.jobs import Cluster, Here, Job, JobResults, Processes, Tell, Where
from rnn_edge.drift.fleet.run import run_jobs

__all__ = [
    "Cluster",
    "Here",
    "Job",
    "JobResults",
    "Processes",
    "Tell",
    "Where",
    "run_jobs",
]
