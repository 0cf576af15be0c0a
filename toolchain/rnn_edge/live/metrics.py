"""The counts of a running stream for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rnn_edge import __version__
from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.extras import require
from rnn_edge.live.counts import BUCKETS_S, Counts, Histogram

PREFIX = "rnn_edge"


@dataclass(frozen=True)
class Reading:
    """What holds at the moment of a scrape.

    Attributes:
        model: Name of the model.
        digest: Of the model.
        engine: That steps it.
        frame_rate_hz: Frames per second.
        dropped_frames: Frames that a source could not wait for.
        waiting_s: Samples that wait to be stepped, in seconds.
        further: Counters of source and outlets, by name, without prefix and ``_total``.
    """

    model: str
    digest: str
    engine: str
    frame_rate_hz: float
    dropped_frames: int
    waiting_s: float
    further: Mapping[str, int]


HELP: Mapping[str, str] = {
    "frames": "Frames stepped.",
    "resets": "Times that the reset policy set the state to zero.",
    "late_frames": "Frames decided on later than one frame period after their last sample.",
    "gaps": "Places where samples are missing.",
    "saves": "States saved.",
    "failed_saves": "States that could not be saved.",
    "swaps": "Models that took over.",
    "rollbacks": "Canaries that did not take over.",
    "failed_reloads": "Bundles that could not be opened.",
    "unlogged_frames": "Frames that could not be logged.",
    "dropped_frames": "Frames lost because the source could not wait.",
}


class Exporter:
    """Serves the counts over HTTP.

    Args:
        counts: Of the stream.
        read: Called at each scrape.
        host: Address that is listened on.
        port: TCP port; 0 for any.

    Raises:
        MissingDependencyError: If prometheus-client is not installed.
        EnvironmentFailureError: If the port cannot be had.
    """

    def __init__(self, counts: Counts, read: Callable[[], Reading], host: str, port: int) -> None:
        self._client = require("prometheus_client", "run", "the metrics")
        self._core = require("prometheus_client.core", "run", "the metrics")
        self._counts, self._read = counts, read
        registry = self._client.CollectorRegistry(auto_describe=False)
        registry.register(self)
        self._client.ProcessCollector(registry=registry)
        try:
            self._server, self._thread = self._client.start_http_server(port, host, registry)
        except OSError as error:
            raise EnvironmentFailureError(
                f"Metrics on {host}:{port} cannot be served: {error.strerror or error}; expected a "
                "free port.",
                "choose another one with --metrics",
            ) from error
        self.port: int = self._server.server_port

    def collect(self) -> Iterator[Any]:
        """Yield every metric; called by the client library."""
        counts, now = self._counts, self._read()
        counters = {
            "frames": counts.frames,
            "resets": counts.resets,
            "late_frames": counts.late,
            "gaps": counts.gaps,
            "saves": counts.saves,
            "failed_saves": counts.failed_saves,
            "swaps": counts.swaps,
            "rollbacks": counts.rollbacks,
            "failed_reloads": counts.failed_reloads,
            "unlogged_frames": counts.unlogged,
            "dropped_frames": now.dropped_frames,
            **now.further,
        }
        for name, value in counters.items():
            text = HELP.get(name, name.replace("_", " ").capitalize() + ".")
            yield self._core.CounterMetricFamily(f"{PREFIX}_{name}", text, value=value)
        decisions = self._core.CounterMetricFamily(
            f"{PREFIX}_decisions", "Decisions that began.", labels=["label"]
        )
        for label, count in sorted(counts.begun.copy().items()):
            decisions.add_metric([label], count)
        yield decisions
        yield self._histogram("step_seconds", "Policy, model and rule of a frame.", counts.step_s)
        yield self._histogram(
            "latency_seconds", "From a frame's last sample to its decision.", counts.latency_s
        )
        gauges = {
            "state_age_seconds": (
                "Stream time since the state was zero.",
                counts.state_age_frames / now.frame_rate_hz,
            ),
            "waiting_seconds": ("Samples that wait to be stepped.", now.waiting_s),
        }
        if counts.saved_s is not None:
            age_s = time.monotonic() - counts.saved_s
            gauges["saved_state_age_seconds"] = ("Time since the state was saved.", age_s)
        if counts.drift_score is not None:
            gauges["input_drift_score"] = (
                "Largest debounced population stability index of a feature.",
                counts.drift_score,
            )
            gauges["input_drift_alarms"] = ("Features in alarm.", float(counts.drift_alarms))
        for name, (text, level) in gauges.items():
            yield self._core.GaugeMetricFamily(f"{PREFIX}_{name}", text, value=level)
        about = self._core.GaugeMetricFamily(
            f"{PREFIX}_model_info",
            "The model at work.",
            labels=["model", "digest", "engine", "version"],
        )
        about.add_metric([now.model, now.digest, now.engine, __version__], 1.0)
        yield about

    def _histogram(self, name: str, text: str, found: Histogram) -> Any:  # noqa: ANN401 - untyped
        counts, total = list(found.counts), 0
        buckets = []
        for end, count in zip((*(f"{e:g}" for e in BUCKETS_S), "+Inf"), counts, strict=True):
            total += count
            buckets.append((end, total))
        return self._core.HistogramMetricFamily(
            f"{PREFIX}_{name}", text, buckets=buckets, sum_value=found.sum_s
        )

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
