"""What a model was trained and judged on, and whose it is."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.card.blocks import Block, Items, Part, Table, Words
from rnn_edge.report.reader import Node

NOT_STATED = "not stated"
_PARTS = ("train", "validation", "test")
_PLACES = {"train": "training", "validation": "validation", "test": "test"}


def part(root: Node) -> Part:
    """Return licence, source, parts and how they were split."""
    card, found = root.at("card"), root.at("data")
    is_synthetic = found.at("is_synthetic").flag()
    lines = [
        "Synthetic: no real recording was used to train or judge this model."
        if is_synthetic
        else "Recorded.",
        *(
            f"{title}: {_stated(card, key)}"
            for title, key in (
                ("Description", "description"),
                ("Source", "source"),
                ("Licence of the data", "licence"),
            )
        ),
        f"Read from: {found.at('source').text()}",
        f"Split: {card.at('split').text()}",
        *_findings(found),
    ]
    blocks: list[Block] = [Items(tuple(lines)), _parts(found)]
    notes = tuple(note.text() for note in found.at("notes").items())
    if notes:
        blocks += [Words("Done to the data on reading:"), Items(notes)]
    return Part("Data", tuple(blocks))


def _stated(card: Node, key: str) -> str:
    found = card.find(key)
    return NOT_STATED if found is None else found.text()


def _findings(data: Node) -> list[str]:
    """Return what the checks of the data say of the split."""
    summary = data.at("summary")
    audio = summary.find("audio")
    checked = summary.at("sensors") if audio is None else audio
    leaks = checked.at("leaks").at("count").integer()
    what = "recordings" if audio is None else "clips"
    lines = [f"Equal {what} in more than one part: {formatting.count(leaks) if leaks else 'none'}"]
    if audio is not None:
        shared = audio.at("shared_speakers").at("count").integer()
        found = formatting.count(shared) if shared else "none"
        lines.append(f"Speakers in more than one part: {found}")
    return lines


def _parts(data: Node) -> Table:
    summary = data.at("summary")
    audio, sensors = summary.find("audio"), summary.find("sensors")
    rows = []
    for name in _PARTS:
        counts: tuple[str, ...]
        if audio is not None:
            clips = sum(by.at(name).integer() for by in audio.at("clips").entries().values())
            speakers = audio.at("speakers").at(name).integer()
            counts = (formatting.count(clips), formatting.count(speakers), _total(audio, name))
        else:
            assert sensors is not None
            share = sensors.at("anomalous_share").find(name)
            counts = (
                formatting.count(sensors.at("recordings").at(name).integer()),
                formatting.count(sensors.at("rows").at(name).integer()),
                _total(sensors, name),
                formatting.percent(share.number()) if share else formatting.UNDEFINED,
            )
        rows.append((_PLACES[name], *counts))
    columns = (
        ("Part", "Clips", "Speakers", "Total")
        if audio is not None
        else ("Part", "Recordings", "Rows", "Total", "Of the labelled rows anomalous")
    )
    return Table("Parts", columns, tuple(rows))


def _total(summary: Node, name: str) -> str:
    found = summary.at("durations").find(name)
    return (
        formatting.UNDEFINED if found is None else formatting.duration(found.at("total_s").number())
    )
