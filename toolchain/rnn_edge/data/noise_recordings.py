"""Recordings of noise that come in no data set: a folder or an archive of sound files."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from rnn_edge.data.audio_file import decode_audio
from rnn_edge.data.tree import AUDIO_SUFFIXES, open_tree
from rnn_edge.errors import DataError
from rnn_edge.types import AudioClip, Split

LABEL = "_noise_"


def read_noise(path: Path) -> tuple[AudioClip, ...]:
    """Read noise, a part for calibration and a part for tests.

    The last of its folders is for tests and the others are for calibration; in one folder every
    second file is for tests.

    Args:
        path: Folder or archive with WAV or FLAC files, in folders or not.

    Raises:
        DataError: If there is no sound, or a file cannot be read.
        MissingDependencyError: If the audio decoder is not installed.
    """
    tree = open_tree(path)
    names = [n for n in tree.names if PurePosixPath(n).suffix.lower() in AUDIO_SUFFIXES]
    folders = sorted({_folder(name) for name in names})
    if not names:
        raise DataError(f"Noise {path} has no sound; expected WAV or FLAC files.")
    tests = (
        set(names[1::2]) if len(folders) == 1 else {n for n in names if _folder(n) == folders[-1]}
    )
    found = []
    for name, content in tree.read(names):
        split: Split = "test" if name in tests else "validation"
        pcm = decode_audio(content, f"{path.name}/{name}", "leave the file out").pcm
        found.append(AudioClip(name, pcm, LABEL, "", split))
    return tuple(sorted(found, key=lambda clip: clip.clip_id))


def _folder(name: str) -> str:
    return PurePosixPath(name).parent.as_posix()
