"""Loads data sets for a look, and puts summaries into words."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_edge.errors import DataError

if TYPE_CHECKING:
    from rnn_edge.data.guess import Guess
    from rnn_edge.data.summary import (
        AudioSummary,
        DataSummary,
        Duration,
        Findings,
        SensorSummary,
    )
    from rnn_edge.types import Dataset

SPEC = "spec.toml"
"""The spec in a bundle."""

EXAMPLES = 3
"""Names given for each kind of finding; --json has more."""


def load_for_inspection(
    path: Path | None, spec: Path | None, overrides: Sequence[str]
) -> tuple[Guess, Dataset]:
    """Return the [data] table that a data set was read with, and the data set.

    Args:
        path: Where it lies; None for what the spec says.
        spec: How it is read; None guesses from the content.
        overrides: ``section.key=value`` each.
    """
    from rnn_edge.cli.building import resolve
    from rnn_edge.data.base import all_sources, load_dataset
    from rnn_edge.data.first_look import refusals
    from rnn_edge.data.guess import Guess, guess_data

    if path is not None:
        _refuse_bundle(path)
    place: Path | None
    if spec is None:
        assert path is not None
        guess, place, seed = guess_data(path), path, 0
        read = guess.lenient
    else:
        resolved = resolve(spec, path, overrides, None)
        read = {"kind": resolved.data.kind, **resolved.data.options()}
        guess = Guess(read)
        given = resolved.data.place
        place, seed = Path(given) if given else None, resolved.seed
    options = {key: value for key, value in read.items() if key != "kind"}
    source = all_sources()[read["kind"]]
    if source.needs_path and place is None:
        raise DataError(
            f"Spec {spec} does not say where its data lies; expected data.path in it.",
            f"name the place: rnn-edge data inspect PATH --spec {spec}",
        )
    dataset = load_dataset(source.name, place, source.options(**options), seed)
    if spec is None:
        guess = guess._replace(warnings=(*guess.warnings, *refusals(dataset)))
    return guess, dataset


def _refuse_bundle(path: Path) -> None:
    """Refuse the folder of a build, whose arrays are no recordings.

    Raises:
        DataError: If it is one.
    """
    from rnn_edge.pipeline.bundle import MANIFEST

    if (path / MANIFEST).is_file() and (path / SPEC).is_file():
        raise DataError(
            f"Path {path} is a bundle, what a build made; expected recordings.",
            "see the data that it was built from: rnn-edge data inspect --spec "
            f"{shlex.quote(str(path / SPEC))}, with PATH where the spec names no place",
        )


def summary_lines(guess: Guess, summary: DataSummary, *, is_guess: bool) -> list[str]:
    """Return a summary as text.

    Args:
        guess: How the data was read.
        summary: What was found.
        is_guess: Whether that was guessed; it is then shown, to be put into a spec.
    """
    import tomli_w

    is_told = not summary.is_synthetic or "synthetic" in summary.source
    lines = [summary.source if is_told else f"{summary.source} (synthetic)"]
    lines += [f"warning: {warning}" for warning in guess.warnings]
    if is_guess:
        # Values that say nothing are left out, so that what was found can be read.
        told = {key: value for key, value in guess.table.items() if value not in ("", (), None)}
        lines += [
            "a [data] section to begin with:",
            *_indent(tomli_w.dumps({"data": told}).splitlines()),
        ]
    if summary.audio is not None:
        lines += _audio_lines(summary.audio)
    if summary.sensors is not None:
        lines += _sensor_lines(summary.sensors)
    notes = [*guess.notes, *summary.notes]
    lines += ["notes:", *_indent(notes)] if notes else []
    return [*lines, f"digest: {summary.digest}"]


def _audio_lines(audio: AudioSummary) -> list[str]:
    splits = list(next(iter(audio.clips.values())))
    lines = [f"{audio.sample_rate_hz} Hz", f"  {'class':<16}" + "".join(f"{s:>12}" for s in splits)]
    rows = {
        **audio.clips,
        "speakers": audio.speakers,
        "background [s]": {s: round(v) for s, v in audio.background_s.items()},
    }
    lines += [f"  {name:<16}" + "".join(f"{v[s]:>12}" for s in splits) for name, v in rows.items()]
    lines += _duration_lines(audio.durations)
    lines += [f"clips without a speaker's name: {audio.nameless_clips}"]
    findings = {
        "speakers in two splits": audio.shared_speakers,
        "clipped": audio.clipped,
        "nearly silent": audio.nearly_silent,
        "duplicates": audio.duplicates,
        "same clip in two splits": audio.leaks,
    }
    return lines + _finding_lines(findings)


def _sensor_lines(sensors: SensorSummary) -> list[str]:
    lines = [f"{sensors.sample_rate_hz:g} Hz"]
    for split, count in sensors.recordings.items():
        share = sensors.anomalous_share.get(split)
        labelled = f", {100 * share:.1f} % of labelled rows anomalous" if share is not None else ""
        lines.append(f"  {split:<12} {count} recordings, {sensors.rows[split]} rows{labelled}")
    for split, channels in sensors.channels.items():
        lines.append(f"  {split + ' channel':<24}{'min':>12}{'mean':>12}{'max':>12}{'std':>12}")
        lines += [
            f"  {name:<24}{c.min:>12.5g}{c.mean:>12.5g}{c.max:>12.5g}{c.std:>12.5g}"
            for name, c in channels.items()
        ]
    lines += _duration_lines(sensors.durations)
    if sensors.constant_channels:
        lines.append(f"constant: {', '.join(sensors.constant_channels)}")
    return lines + _finding_lines({"equal recordings": sensors.leaks})


def _duration_lines(durations: Mapping[str, Duration]) -> list[str]:
    return [
        f"  {split:<12} {d.total_s:.0f} s in all, each {d.min_s:.3g} to {d.max_s:.3g} s "
        f"(median {d.median_s:.3g})"
        for split, d in durations.items()
    ]


def _finding_lines(findings: Mapping[str, Findings]) -> list[str]:
    lines = []
    for name, found in findings.items():
        more = ", ..." if found.count > EXAMPLES else ""
        named = f" ({', '.join(found.examples[:EXAMPLES])}{more})" if found.count else ""
        lines.append(f"{name}: {found.count}{named}")
    return lines


def _indent(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" if line else "" for line in lines]
