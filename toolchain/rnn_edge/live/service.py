"""A whole run: everything opened, signals obeyed, everything closed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from rnn_edge.cache import cache_folder
from rnn_edge.errors import DataError, EngineError, EnvironmentFailureError, SavedStateError
from rnn_edge.live.broker import BrokerAddress, BrokerEvents
from rnn_edge.live.canary import Canary
from rnn_edge.live.counts import Counts
from rnn_edge.live.hook import Hook
from rnn_edge.live.lane import Lane
from rnn_edge.live.log_folder import LogFolder
from rnn_edge.live.metrics import Exporter
from rnn_edge.live.opening import SourceRequest, open_lane, open_source
from rnn_edge.live.printed import Lines
from rnn_edge.live.recorder import RunRecorder
from rnn_edge.live.saved import LiveState, read_state, set_aside
from rnn_edge.live.stream import Outlet, Stream, StreamOptions
from rnn_edge.live.told import Teller
from rnn_edge.live.trials import TrialOptions
from rnn_edge.live.watch import BundleWatch
from rnn_edge.pipeline.bundle import Bundle


@dataclass(frozen=True)
class HookRequest:
    """A program for every event.

    Attributes:
        command: As it is typed.
        limit: How many may run at once.
        timeout_s: After which one is killed.
    """

    command: str
    limit: int
    timeout_s: float


@dataclass(frozen=True)
class LogRequest:
    """Where frames are logged.

    Attributes:
        folder: Of the logs.
        frames: Frames of a file.
        keep: Files that are kept; 0 for all.
        is_packed: Whether they are compressed.
    """

    folder: Path
    frames: int
    keep: int
    is_packed: bool


@dataclass(frozen=True)
class RunRequest:
    """What a command line says.

    Attributes:
        bundle: Folder of the bundle.
        source: Where samples come from.
        engine: Name of the engine.
        port: Of a board.
        options: How the stream runs.
        is_new_state: Whether a state that cannot be taken up is set aside.
        hook: A program for every event, or None.
        mqtt: Topic that events are published on, or None.
        metrics: Address and port of the metrics, or None.
        log: Where frames are logged, or None.
        does_watch: Whether a bundle that is built anew takes over.
        canary: Folder of another bundle that is tried, or None.
        has_budget: Whether a bundle that is loaded anew has to keep to the canary's budget.
        recorder: Watches for a report, or None.
    """

    bundle: Path
    source: SourceRequest
    engine: str = "c"
    port: str | None = None
    options: StreamOptions = field(default_factory=StreamOptions)
    is_new_state: bool = False
    hook: HookRequest | None = None
    mqtt: BrokerAddress | None = None
    metrics: tuple[str, int] | None = None
    log: LogRequest | None = None
    does_watch: bool = False
    canary: Path | None = None
    has_budget: bool = False
    recorder: RunRecorder | None = None


class _Signals:
    """What this process was asked for; handlers only note it."""

    def __init__(self) -> None:
        self.is_stop = self.is_interrupt = self.is_reload = False
        self._before: dict[int, Any] = {}

    def watch(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._note)

    def restore(self) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        if number == signal.SIGHUP:
            self.is_reload = True
        elif number == signal.SIGTERM:
            self.is_stop = True
        elif self.is_interrupt:
            raise KeyboardInterrupt
        else:
            self.is_interrupt = True


def serve(request: RunRequest, write: Callable[[str], None], say: Callable[[str], None]) -> Counts:
    """Run a stream until its source ends, or somebody ends it.

    SIGTERM and SIGINT end it, with everything saved and flushed; SIGHUP loads the bundle anew.

    Args:
        request: What to run.
        write: Takes the events, a line of JSON each.
        say: Told what goes on.

    Returns:
        What was counted.

    Raises:
        KeyboardInterrupt: After SIGINT, when all is saved.
        RnnEdgeError: If something cannot be opened, or the source or the engine fails.
    """
    tell = Teller(say)
    counts = Counts()
    signals = _Signals()
    with ExitStack() as stack:
        # Whoever ends this while a compiler still runs ends it at once, as any command.
        bundle = Bundle.open(request.bundle)
        lane = open_lane(bundle, request.engine, compiled_models(), request.port)
        opened = stack.enter_context(ExitStack())
        opened.callback(lane.close)
        saved = _saved(request, lane, tell)
        source = open_source(bundle, lane.parts.front_end, request.source, tell)
        opened.callback(source.close)
        log = None
        if request.log is not None:
            wanted = request.log
            log = LogFolder(
                wanted.folder, wanted.frames, wanted.keep, counts, tell, is_packed=wanted.is_packed
            )
        canary = None
        if request.canary is not None:
            canary = _open(request.canary, request)
            opened.callback(canary.close)
            _check_canary(canary, lane, request.options.trials)
        outlets: list[Outlet] = [Lines(write)]
        if request.hook is not None:
            hook = request.hook
            outlets.append(Hook(hook.command, hook.limit, hook.timeout_s, tell))
        if request.mqtt is not None:
            outlets.append(BrokerEvents(request.mqtt, tell))
        if request.recorder is not None:
            outlets.append(request.recorder)
        stream = Stream(lane, source, outlets, log, request.options, counts, tell)
        if request.recorder is not None:
            request.recorder.begin(stream)
        if request.metrics is not None:
            exporter = Exporter(counts, stream.reading, *request.metrics)
            stack.callback(exporter.close)
            say(f"Metrics: http://{request.metrics[0]}:{exporter.port}/metrics")
        reload = _Reload(request, stream, signals)
        if request.does_watch:
            watch = BundleWatch(reload.folder, reload.ask)
            watch.start()
            stack.callback(watch.close)
        # From here on the stream closes what was opened.
        opened.pop_all()
        signals.watch()
        stack.callback(signals.restore)
        stream.on_turn = reload.turn
        stream.begin(saved)
        if canary is not None and request.canary is not None:
            reload.tried = request.canary
            stream.consider(canary, is_canary=True)
        stream.run()
    if signals.is_interrupt:
        raise KeyboardInterrupt
    return counts


class _Reload:
    """Obeys signals between two pieces of the stream.

    Args:
        request: What runs.
        stream: The stream.
        signals: What was asked for.
    """

    def __init__(self, request: RunRequest, stream: Stream, signals: _Signals) -> None:
        self.tried: Path = request.bundle
        """Folder of the bundle that was offered last."""
        self._at_work = request.bundle
        self._request, self._stream, self._signals = request, stream, signals
        self._swaps = 0

    def folder(self) -> Path:
        """Return the folder of the bundle at work."""
        return self._at_work

    def ask(self) -> None:
        """Load the bundle at work anew, at the next turn."""
        self._signals.is_reload = True

    def turn(self) -> None:
        """Do what was asked for since the last turn."""
        if self._signals.is_stop or self._signals.is_interrupt:
            self._stream.ask_to_stop()
        swaps = self._stream.counts.swaps
        if swaps != self._swaps:
            self._swaps, self._at_work = swaps, self.tried
        if self._signals.is_reload and not self._stream.is_trying:
            self._signals.is_reload = False
            self.tried = folder = self._at_work
            self._stream.offer(
                lambda: _open(folder, self._request), is_canary=self._request.has_budget
            )


def _check_canary(canary: Lane, lane: Lane, options: TrialOptions) -> None:
    """Refuse a canary that cannot be one, before anything runs.

    Raises:
        DataError: Saying what does not fit.
    """
    if canary.digest == lane.digest:
        raise DataError(
            f"Canary is the model at work, {lane.model.name} {lane.digest[:12]}...; expected "
            "another one.",
            "leave out --canary",
        )
    Canary(canary, lane, options.warmup, options.canary_frames, options.canary_budget)


def _open(folder: Path, request: RunRequest) -> Lane:
    return open_lane(Bundle.open(folder), request.engine, compiled_models(), request.port)


def compiled_models() -> Path:
    """Return the folder of compiled models: what was compiled once is found again."""
    folder = cache_folder() / "live"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFailureError(
            f"Folder of compiled models {folder} cannot be made: {error.strerror}.",
            "set RNN_EDGE_CACHE to a folder that can be written",
        ) from error
    return folder


def _saved(request: RunRequest, lane: Lane, tell: Teller) -> LiveState | None:
    """Return the state that the stream goes on from."""
    path = request.options.state
    if path is None:
        return None
    if not lane.can_save:
        raise EngineError(
            f"State {path}: engine {lane.kind.name!r} has no state that can be kept; expected an "
            "integer engine that takes one, e.g. 'c'.",
            "leave out --state, or choose another engine",
        )
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise EnvironmentFailureError(
            f"State {path}: folder {path.parent} is not there, or cannot be written."
        )
    try:
        saved = read_state(path)
        if saved is not None:
            lane.check(saved)
    except SavedStateError as error:
        if not request.is_new_state:
            raise
        tell.once(f"{error.message} It is now {set_aside(path).name}; the stream begins anew.")
        return None
    return saved


def parse_metrics(text: str) -> tuple[str, int]:
    """Read ``[HOST:]PORT``.

    Raises:
        DataError: If it is something else.
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65_535:
        raise DataError(
            f"Metrics address {text!r}; expected [HOST:]PORT.", "e.g. --metrics 127.0.0.1:9101"
        )
    return host.strip("[]") or "127.0.0.1", int(port)
