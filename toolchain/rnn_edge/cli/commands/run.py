"""`rnn-edge run`: a model at work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from rnn_edge.cli.options import PathName, RealNumber, WholeNumber
from rnn_edge.cli.output import HINT, Output
from rnn_edge.errors import RnnEdgeError

_OF_UNITS = ("is_unit", "is_user", "is_dry", "unit_name", "state", "log", "bundle")
"""Options that are about a unit, or that it has places of its own for."""


@click.command("run")
@click.argument("bundle", type=PathName())
@click.option(
    "-s",
    "--source",
    "sources",
    multiple=True,
    default=("-",),
    show_default=True,
    metavar="SOURCE",
    help="WAV, FLAC or CSV files (may be repeated), - for standard input, microphone[:NAME], "
    "serial:PORT or mqtt://HOST[:PORT]/TOPIC.",
)
@click.option("--engine", default="c", show_default=True, metavar="NAME", help="Engine that steps.")
@click.option("--port", metavar="PORT", help="Port of the board, with --engine device:NAME.")
@click.option("--fast", "is_fast", is_flag=True, help="Do not wait for real time.")
@click.option(
    "--speed",
    type=RealNumber(0.01, 100_000.0),
    default=1.0,
    show_default=True,
    help="Times as fast as real time that files are played.",
)
@click.option(
    "--repeat",
    type=WholeNumber(0, 2**31 - 1),
    default=1,
    show_default=True,
    help="Times that files are played; 0 for ever.",
)
@click.option("--steps", type=WholeNumber(1, 2**53), help="Frames after which it ends.")
@click.option(
    "--baud",
    type=WholeNumber(50, 4_000_000),
    default=115_200,
    show_default=True,
    help="Bits per second of a serial line.",
)
@click.option(
    "--front-end-hops",
    type=WholeNumber(1, 100),
    help="Of sound that the front end takes at once: cheaper, and decisions come later. [default: "
    "what fits into 0.1 s]",
)
@click.option("--delimiter", metavar="CHARACTER", help="Between cells. [default: the spec's]")
@click.option(
    "--buffer",
    "buffer_s",
    type=RealNumber(0.0, 3600.0),
    default=5.0,
    show_default=True,
    help="Seconds of samples that may wait; what does not fit is dropped and counted.",
)
@click.option("--exec", "hook", metavar="COMMAND", help="Run for every event, JSON on its stdin.")
@click.option(
    "--exec-limit", type=WholeNumber(1, 64), default=4, show_default=True, help="Of them at once."
)
@click.option(
    "--exec-timeout",
    "exec_timeout_s",
    type=RealNumber(0.1, 3600.0),
    default=10.0,
    show_default=True,
    help="Seconds after which one is killed.",
)
@click.option("--mqtt", metavar="mqtt://HOST[:PORT]/TOPIC", help="Publish events there.")
@click.option("--metrics", metavar="[HOST:]PORT", help="Serve metrics for Prometheus.")
@click.option(
    "--log",
    type=PathName(),
    metavar="FOLDER",
    help="Log every frame there (docs/logs.md).",
)
@click.option(
    "--log-frames",
    type=WholeNumber(1, 2**31 - 1),
    default=1_000_000,
    show_default=True,
    help="Frames of one log.",
)
@click.option(
    "--log-keep",
    type=WholeNumber(0, 1_000_000),
    default=0,
    show_default=True,
    help="Logs that are kept, the newest; 0 for all.",
)
@click.option("--log-gzip", "is_packed", is_flag=True, help="Compress them.")
@click.option(
    "--state",
    type=PathName(dir_okay=False),
    metavar="FILE",
    help="Keep the stream in a file, and go on from it.",
)
@click.option(
    "--save-every",
    "save_every_s",
    type=RealNumber(0.05, 86_400.0),
    default=10.0,
    show_default=True,
    help="Seconds between two saves.",
)
@click.option(
    "--new-state",
    "is_new_state",
    is_flag=True,
    help="Set a state aside that is of another model or damaged, instead of refusing it.",
)
@click.option(
    "--watch", "does_watch", is_flag=True, help="Take over the bundle when it is rebuilt."
)
@click.option("--canary", type=PathName(), metavar="BUNDLE", help="Try another model.")
@click.option(
    "--canary-frames",
    type=WholeNumber(1, 2**31 - 1),
    default=10_000,
    show_default=True,
    help="Frames over which both are compared.",
)
@click.option(
    "--canary-budget",
    metavar="NAME=LIMIT,...",
    help="frame_agreement, detection_agreement, hidden_rms; it holds for reloaded bundles, too. "
    "[default: frame_agreement=0.95,detection_agreement=0.98]",
)
@click.option(
    "--warmup",
    type=WholeNumber(0, 10_000_000),
    default=250,
    show_default=True,
    help="Frames that another model steps beside the first before it is compared or takes over.",
)
@click.option(
    "--report",
    type=PathName(file_okay=False),
    metavar="DIR",
    help="Write run.html and run.json there at the end: channels, scores, thresholds, detections "
    "and labels.",
)
@click.option("--install-unit", "is_unit", is_flag=True, help="Write a systemd unit and end.")
@click.option("--user", "is_user", is_flag=True, help="A unit of your own, without sudo.")
@click.option("--unit-name", metavar="NAME", help="rnn-edge-NAME. [default: the model's]")
@click.option("--dry-run", "is_dry", is_flag=True, help="Print the unit, write nothing.")
@click.option("-q", "--quiet", "is_quiet", is_flag=True, help="Events and errors only.")
@click.pass_context
def run(ctx: click.Context, /, bundle: Path, *, is_quiet: bool, **options: Any) -> int:  # noqa: ANN401 - click's
    """Run a model on Linux: samples in, decisions out, for as long as the machine runs.

    Every event is one line of JSON on stdout: started, begin and end of a decision, swap or
    rollback of a model, stopped. What goes wrong with single samples is told on stderr and counted.

    SIGTERM and Ctrl-C end the run, with everything saved and handed over; SIGHUP loads the bundle
    anew and changes over without a gap.
    """
    _refuse_idle(ctx)
    _refuse_unreadable(ctx)
    output = Output(is_json=False, is_quiet=is_quiet, is_verbose=False)
    if options["is_unit"]:
        return _unit(ctx, bundle, output)
    return _serve(ctx, bundle, output)


_NEEDS = {
    "exec_limit": "hook",
    "exec_timeout_s": "hook",
    "log_frames": "log",
    "log_keep": "log",
    "is_packed": "log",
    "save_every_s": "state",
    "is_new_state": "state",
    "canary_frames": "canary",
    "is_user": "is_unit",
    "unit_name": "is_unit",
    "is_dry": "is_unit",
}
"""Options that do nothing without another one."""


def _refuse_idle(ctx: click.Context) -> None:
    names = {param.name: param.opts[-1] for param in ctx.command.params}
    for name, needed in _NEEDS.items():
        is_given = ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
        is_reload = name == "canary_frames" and ctx.params["canary_budget"] is not None
        if is_given and not ctx.params[needed] and not is_reload:
            # A unit keeps its state anyway.
            if needed == "state" and ctx.params["is_unit"]:
                continue
            raise click.UsageError(f"{names[name]} does nothing without {names[needed]}.")
    if ctx.params["front_end_hops"] is not None and ctx.params["is_fast"]:
        raise click.UsageError("--front-end-hops is about real time; leave --fast out.")
    if ctx.params["is_fast"] and ctx.params["speed"] != 1.0:
        raise click.UsageError("--fast plays as fast as can be; leave --speed out.")
    if ctx.params["report"] is not None and ctx.params["is_unit"]:
        raise click.UsageError("--report is written at the end of a run; a unit has none.")
    if ctx.params["delimiter"] is not None and len(ctx.params["delimiter"]) != 1:
        raise click.UsageError("--delimiter is one character.")
    if ctx.params["port"] is not None and not ctx.params["engine"].startswith("device:"):
        raise click.UsageError("--port is for boards, with --engine device:NAME.")
    if not ctx.params["port"] and ctx.params["engine"].startswith("device:"):
        from rnn_edge.engines.base import all_engines

        kind = all_engines().get(ctx.params["engine"])
        if kind is not None and kind.needs_port:
            raise click.UsageError(f"--engine {kind.name} is a board; name its port with --port.")


def _refuse_unreadable(ctx: click.Context) -> None:
    """Refuse words that mean nothing before anything is opened, or written into a unit."""
    from rnn_edge.live.broker import BrokerAddress
    from rnn_edge.live.canary import parse_budget
    from rnn_edge.live.opening import check_word
    from rnn_edge.live.service import parse_metrics

    readers: dict[str, Callable[[str], object]] = {
        "mqtt": BrokerAddress.of,
        "metrics": parse_metrics,
        "canary_budget": parse_budget,
    }
    try:
        for name, read in readers.items():
            if ctx.params[name] is not None:
                read(ctx.params[name])
        for word in ctx.params["sources"]:
            check_word(word)
    except RnnEdgeError as error:
        hint = f"{HINT}{error.hint}" if error.hint else ""
        raise click.UsageError(f"{error.message}{hint}") from error


def _serve(ctx: click.Context, bundle: Path, output: Output) -> int:
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.cli.engines import check_engines
    from rnn_edge.cli.profile_pages import check_place
    from rnn_edge.cli.run_pages import write_run
    from rnn_edge.live.broker import BrokerAddress
    from rnn_edge.live.canary import DEFAULT_BUDGET, parse_budget
    from rnn_edge.live.opening import SourceRequest
    from rnn_edge.live.recorder import RunRecorder
    from rnn_edge.live.service import (
        HookRequest,
        LogRequest,
        RunRequest,
        parse_metrics,
        serve,
    )
    from rnn_edge.live.stream import StreamOptions
    from rnn_edge.live.trials import TrialOptions

    given = ctx.params
    check_engines([given["engine"]])
    for folder in filter(None, (bundle, given["canary"])):
        open_bundle(folder)
    budget, log, report = given["canary_budget"], given["log"], given["report"]
    is_new = report is not None and not report.exists()
    if report is not None:
        check_place(report, "--report")
    recorder = None if report is None else RunRecorder()
    request = RunRequest(
        bundle=bundle,
        source=SourceRequest(
            tuple(given["sources"]),
            given["is_fast"],
            given["repeat"],
            given["baud"],
            given["delimiter"],
            given["front_end_hops"],
            speed=given["speed"],
        ),
        engine=given["engine"],
        port=given["port"],
        options=StreamOptions(
            state=given["state"],
            save_every_s=given["save_every_s"],
            buffer_s=given["buffer_s"],
            trials=TrialOptions(
                given["warmup"],
                given["canary_frames"],
                DEFAULT_BUDGET if budget is None else parse_budget(budget),
            ),
            steps=given["steps"],
        ),
        is_new_state=given["is_new_state"],
        hook=None
        if given["hook"] is None
        else HookRequest(given["hook"], given["exec_limit"], given["exec_timeout_s"]),
        mqtt=None if given["mqtt"] is None else BrokerAddress.of(given["mqtt"]),
        metrics=None if given["metrics"] is None else parse_metrics(given["metrics"]),
        log=None
        if log is None
        else LogRequest(log, given["log_frames"], given["log_keep"], given["is_packed"]),
        does_watch=given["does_watch"],
        canary=given["canary"],
        has_budget=budget is not None,
        recorder=recorder,
    )
    try:
        counts = serve(request, click.echo, output.note)
    finally:
        # Also of a run that was interrupted, or whose source failed.
        if report is not None and recorder is not None:
            if recorder.has_frames:
                output.note(f"Written: {write_run(report, recorder.result())}")
            else:
                output.note("No report: there was no frame.")
                if is_new:
                    report.rmdir()
    output.note(f"{counts.frames:,} frames, {sum(counts.begun.values()):,} decisions")
    return 0


def _unit(ctx: click.Context, bundle: Path, output: Output) -> int:
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.live.opening import MICROPHONE, MQTT, SERIAL, STDIN
    from rnn_edge.live.unit import UnitRequest, install_unit, unit_text, verify_unit

    given = ctx.params
    sources = given["sources"]
    if STDIN in sources:
        raise click.UsageError("A service has no standard input; name a --source.")
    opened = open_bundle(bundle)
    arguments, paths = _arguments(ctx)
    has_broker = given["mqtt"] is not None or any(word.startswith(MQTT) for word in sources)
    request = UnitRequest(
        name=given["unit_name"] or opened.spec().model.name,
        arguments=("run", str(bundle.absolute()), *arguments),
        paths=(bundle.absolute(), *paths),
        has_log=given["log"] is not None,
        has_network=has_broker or given["metrics"] is not None or given["hook"] is not None,
        serial_port=next((w.removeprefix(SERIAL) for w in sources if w.startswith(SERIAL)), ""),
        has_microphone=any(word.startswith(MICROPHONE) for word in sources),
        is_user=given["is_user"],
    )
    text = unit_text(request)
    if not verify_unit(request, text):
        output.note("systemd-analyze is not here; the unit was not judged by it.")
    if given["is_dry"]:
        click.echo(text, nl=False)
        return 0
    path = install_unit(request, text)
    manager = "systemctl --user" if request.is_user else "systemctl"
    click.echo(str(path))
    output.note(f"Start it: {manager} daemon-reload && {manager} enable --now {request.file}")
    return 0


def _arguments(ctx: click.Context) -> tuple[list[str], list[Path]]:
    """Return what was typed, with absolute paths, and the paths."""
    words: list[str] = []
    paths: list[Path] = []
    for param in ctx.command.params:
        name = param.name or ""
        if name in _OF_UNITS or ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = ctx.params[name]
        if isinstance(value, bool):
            words.append(param.opts[-1])
            continue
        for each in value if isinstance(value, tuple) else (value,):
            is_path = isinstance(each, Path) or (name == "sources" and Path(each).is_file())
            if is_path:
                paths.append(Path(each).absolute())
            words += [param.opts[-1], str(paths[-1]) if is_path else str(each)]
    return words, paths


COMMAND = run
