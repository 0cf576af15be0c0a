"""Recordings that are added to synthetic speech: a folder or archive with a folder per phrase."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from rnn_edge.data.audio_file import SAMPLE_RATE_HZ, decode_audio
from rnn_edge.data.noise import generator
from rnn_edge.data.options import SILENCE_LABEL, UNKNOWN_LABEL
from rnn_edge.data.speech_commands import BACKGROUND_FOLDER, LISTS, hash_split, speaker_of
from rnn_edge.data.tree import AUDIO_SUFFIXES, open_tree
from rnn_edge.errors import DataError
from rnn_edge.registry import known
from rnn_edge.types import Array, AudioClip, Split

VALIDATION_SHARE = 0.1
TEST_SHARE = 0.2
"""Of the speakers, where the recordings have no lists."""
BEFORE_S = 0.2
BEHIND_S = 0.25
"""What is left of a recording of a keyword around it."""
MOST_PHRASE_S = 1.6
"""Where noise hides the beginning of a keyword, the end of a recording is what counts."""
STEP_S = 0.02
ABOVE_NOISE = 0.4
RANGE_DB = 30.0
PAUSE_S = 0.35


def read_recorded_phrases(
    path: Path, keywords: Sequence[str], most: int, seed: int
) -> tuple[AudioClip, ...]:
    """Read recordings of keywords and of other words.

    The folder of a keyword is named like it, with spaces or "_" between its words; every other
    folder, at whatever depth, holds other words. Where there are lists of the validation and test
    files beside the folders they divide the recordings; else speakers are assigned by a hash.

    Args:
        path: Folder or archive with WAV or FLAC files.
        keywords: The keywords; each must have a folder.
        most: Training clips of each keyword and of other words that are taken, drawn at random.
        seed: Of the choice.

    Raises:
        DataError: If a keyword has no recordings, or a file cannot be read.
        MissingDependencyError: If the audio decoder is not installed.
    """
    tree = open_tree(path)
    if path.is_file() and tree.names == (path.name,):
        raise DataError(
            f"Recordings {path} are a single file; expected a folder or a tar archive with a "
            "folder of recordings per phrase.",
            "name the folder that the folders of the phrases lie in",
        )
    names = [
        name
        for name in tree.names
        if PurePosixPath(name).suffix.lower() in AUDIO_SUFFIXES
        and BACKGROUND_FOLDER not in PurePosixPath(name).parts
        and len(PurePosixPath(name).parts) > 1
    ]
    folders = {phrase_of(name) for name in names}
    for keyword in keywords:
        if keyword not in folders:
            raise DataError(
                f"Keyword {keyword!r} has no recordings in {path}; phrases there are "
                f"{known(sorted(folders))}.",
                f'name the folder of its recordings "{keyword.replace(" ", "_")}"',
            )
    lists = [name for name in LISTS.values() if name in tree.names]
    splits = _splits(names, dict(tree.read(lists)))
    by_group: dict[tuple[str, Split], list[str]] = defaultdict(list)
    for name in names:
        phrase = phrase_of(name)
        label = phrase if phrase in keywords else UNKNOWN_LABEL
        if phrase != SILENCE_LABEL:
            by_group[label, splits[name]].append(name)
    chosen: dict[str, str] = {}
    for k, label in enumerate((*keywords, UNKNOWN_LABEL)):
        own = sorted(by_group[label, "train"])
        order = generator(seed, k, 0x77).permutation(len(own))[:most]
        chosen.update({own[j]: label for j in order})
        for split in LISTS:
            chosen.update(dict.fromkeys(by_group[label, split], label))
    clips = []
    for name, content in tree.read(chosen):
        pcm = decode_audio(content, f"{path.name}/{name}", "leave the file out").pcm
        clips.append(
            AudioClip(
                f"recorded/{PurePosixPath(name).with_suffix('').as_posix()}",
                pcm if chosen[name] == UNKNOWN_LABEL else cut_to_phrase(pcm),
                chosen[name],
                speaker_of(name) or "",
                splits[name],
            )
        )
    return tuple(sorted(clips, key=lambda clip: clip.clip_id))


def cut_to_phrase(pcm: Array) -> Array:
    """Return a recording of a keyword without what is before and behind the keyword.

    A model that is asked at the end of a clip is to be asked soon after the keyword.

    Args:
        pcm: int16 (N,).
    """
    if not pcm.any():
        return pcm
    start, end = phrase_bounds(pcm / 32768.0)
    before, behind = (round(each * SAMPLE_RATE_HZ) for each in (BEFORE_S, BEHIND_S))
    start = max(start - before, end - round(MOST_PHRASE_S * SAMPLE_RATE_HZ), 0)
    return pcm[start : end + behind]


def phrase_bounds(samples: Array) -> tuple[int, int]:
    """Return where the loudest stretch of speech begins and ends, above whatever noise there is.

    Args:
        samples: float64 (N,), not all zero.

    Returns:
        First sample and one past the last. Speech is what is louder than the noise by `ABOVE_NOISE`
        of what its loudest moment is, in decibels; pauses of `PAUSE_S` are part of it.
    """
    step = round(STEP_S * SAMPLE_RATE_HZ)
    count = -(-len(samples) // step)
    squares = np.square(np.pad(samples, (0, count * step - len(samples))))
    power = np.convolve(squares.reshape(count, step).mean(axis=1), np.ones(3) / 3.0, "same")
    level = 10.0 * np.log10(power + 1e-9)
    floor, peak = np.percentile(level, 10), level.max()
    loud = np.flatnonzero(level >= max(floor + ABOVE_NOISE * (peak - floor), peak - RANGE_DB))
    breaks = np.flatnonzero(np.diff(loud) > PAUSE_S / STEP_S)
    pieces = np.split(loud, breaks + 1)
    # Of several stretches the one in which most is said: a click is loud too.
    best = max(pieces, key=lambda piece: float(power[piece].sum()))
    return int(best[0]) * step, min(len(samples), (int(best[-1]) + 1) * step)


def phrase_of(name: str) -> str:
    """Return the phrase that a file is a recording of, by its folder."""
    return PurePosixPath(name).parent.name.replace("_", " ").strip().lower()


def _splits(names: Sequence[str], lists: dict[str, bytes]) -> dict[str, Split]:
    """Return the part of every recording."""
    if len(lists) < len(LISTS):
        return {
            name: hash_split(speaker_of(name) or name, VALIDATION_SHARE, TEST_SHARE)
            for name in names
        }
    splits: dict[str, Split] = dict.fromkeys(names, "train")
    stems = {PurePosixPath(name).with_suffix("").as_posix(): name for name in names}
    # Lists may name files from below the folder that all of them lie in.
    tails = {"/".join(PurePosixPath(stem).parts[-2:]): name for stem, name in stems.items()}
    for split, list_name in LISTS.items():
        for line in lists[list_name].decode("utf-8-sig").splitlines():
            entry = PurePosixPath(line.strip()).with_suffix("").as_posix()
            found = stems.get(entry) or tails.get("/".join(PurePosixPath(entry).parts[-2:]))
            if found is not None:
                splits[found] = split
    return splits
