"""What the model was trained and judged on."""

from __future__ import annotations

from rnn_edge.data.summary import CLIPPED_SHARE, QUIET_PEAK_LSB
from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, bullets, element, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table

_PARTS = ("train", "validation", "test")
_STATISTICS = ("min", "mean", "max", "std")
_FINDINGS = (
    ("leaks", "Equal samples in more than one part"),
    ("duplicates", "Equal samples within a part"),
    ("shared_speakers", "Speakers in more than one part"),
    ("clipped", f"Words with over {100 * CLIPPED_SHARE:g} % of the samples at full scale"),
    ("nearly_silent", f"Words with no sample over {QUIET_PEAK_LSB} of 32,767"),
)
_RECORDING_LEAKS = "Recordings with equal values"
_NAMED = 3
"""Examples of a finding that are shown; the rest is in report.json."""


def render(root: Node) -> Section:
    """Return source, parts, checks and notes of the data."""
    data = root.at("data")
    summary = data.at("summary")
    audio, sensors = summary.find("audio"), summary.find("sensors")
    if audio is not None:
        parts = _audio(audio, [label.text() for label in root.at("labels").items()])
    elif sensors is not None:
        parts = _sensors(sensors, [label.text() for label in root.at("labels").items()])
    else:
        summary.fail('"audio" or "sensors"')
    notes: list[str] = [note.text() for note in data.at("notes").items()]
    if notes:
        parts += [element("h3", "Done to the data on reading"), bullets(notes)]
    digest = summary.at("digest").text()
    parts.append(
        paragraph("Digest of all samples and labels: ", element("code", digest), kind="soft")
    )
    return Section("data", "Data", join(paragraph(*_source(data)), *parts))


def _source(data: Node) -> list[str]:
    source = data.at("source").text()
    kind = "synthetic" if data.at("is_synthetic").flag() else "recorded"
    shown: list[str] = ["Source: ", element("code", source)]
    return [*shown, "." if kind in source else f" ({kind})."]


def _audio(audio: Node, labels: list[str]) -> list[Markup]:
    clips = audio.at("clips").entries()
    titles = ("Clips", "Speakers", "Total", "Shortest", "Median", "Longest", "Background noise")
    rows = []
    for part in _PARTS:
        background = audio.at("background_s").at(part).number()
        rows.append(
            [
                part,
                formatting.count(sum(by.at(part).integer() for by in clips.values())),
                formatting.count(audio.at("speakers").at(part).integer()),
                *_durations(audio, part),
                formatting.duration(background) if background else "none",
            ]
        )
    ordered = [name for name in labels if name in clips]
    ordered += [name for name in clips if name not in ordered]
    classes = [
        [name, *(formatting.count(clips[name].at(part).integer()) for part in _PARTS)]
        for name in ordered
    ]
    rate = formatting.count(audio.at("sample_rate_hz").integer())
    nameless = formatting.count(audio.at("nameless_clips").integer())
    return [
        _parts(f"Parts, sound at {rate} Hz", titles, rows),
        table(
            "Clips by class",
            [Column("Class", is_number=False), *(Column(part) for part in _PARTS)],
            classes,
        ),
        _checks(
            [(title, _finding(audio.at(key))) for key, title in _FINDINGS]
            + [("Spoken clips whose speaker is not known", nameless)]
        ),
    ]


def _sensors(sensors: Node, channels: list[str]) -> list[Markup]:
    titles = ("Recordings", "Samples", "Total", "Shortest", "Median", "Longest")
    labels = ("Labelled samples", "of these anomalous")
    rows = []
    for part in _PARTS:
        share = sensors.at("anomalous_share").find(part)
        rows.append(
            [
                part,
                formatting.count(sensors.at("recordings").at(part).integer()),
                formatting.count(sensors.at("rows").at(part).integer()),
                *_durations(sensors, part),
                formatting.count(sensors.at("labelled_rows").at(part).integer()),
                formatting.percent(share.number()) if share else formatting.UNDEFINED,
            ]
        )
    rate = formatting.number(sensors.at("sample_rate_hz").number())
    constant: list[str] = [c.text() for c in sensors.at("constant_channels").items()]
    return [
        _parts(f"Parts, {rate} samples a second", (*titles, *labels), rows),
        _channels(sensors.at("channels"), channels),
        _checks(
            [
                (_RECORDING_LEAKS, _finding(sensors.at("leaks"))),
                ("Channels that never change", ", ".join(constant) or "none"),
            ]
        ),
    ]


def _parts(caption: str, titles: tuple[str, ...], rows: list[list[str]]) -> Markup:
    return table(caption, [Column("Part", is_number=False), *map(Column, titles)], rows)


def _durations(summary: Node, part: str) -> list[str]:
    """Return total, shortest, median and longest of a part; an empty one has none."""
    found = summary.at("durations").find(part)
    if found is None:
        return [formatting.UNDEFINED] * 4
    keys = ("total_s", "min_s", "median_s", "max_s")
    return [formatting.duration(found.at(key).number()) for key in keys]


def _channels(by_part: Node, channels: list[str]) -> Markup:
    """Return a row per channel and part, so that a part that differs from training is seen."""
    parts = {part: node for part in _PARTS if (node := by_part.find(part))}
    names = dict.fromkeys(name for node in parts.values() for name in node.entries())
    ordered = [name for name in channels if name in names]
    ordered += [name for name in names if name not in ordered]
    rows = [
        [
            name,
            part,
            *(formatting.number(node.at(name).at(key).number(), 4) for key in _STATISTICS),
        ]
        for name in ordered
        for part, node in parts.items()
    ]
    columns = [Column("Channel", is_number=False), Column("Part", is_number=False)]
    columns += [Column(title) for title in ("Min", "Mean", "Max", "Std")]
    return table("Channels as recorded, before normalisation", columns, rows)


def _checks(rows: list[tuple[str, str]]) -> Markup:
    columns = [Column("Check", is_number=False), Column("Found", is_number=False)]
    return table("Checks of the data", columns, [list(row) for row in rows])


def _finding(node: Node) -> str:
    """Return a count and the first examples."""
    total = node.at("count").integer()
    if not total:
        return "none"
    examples: list[str] = [example.text() for example in node.at("examples").items()]
    more = ", …" if total > _NAMED else ""
    return f"{formatting.count(total)}: {', '.join(examples[:_NAMED])}{more}"
