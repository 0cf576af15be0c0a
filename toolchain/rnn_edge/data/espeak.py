"""Speech from espeak-ng."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.extras import require
from rnn_edge.types import Array

TIMEOUT_S = 600
ACCENTS = (
    "en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029",
    "en-us-nyc",
)  # fmt: skip
"""Pronunciations of English."""
VARIANTS = (
    "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Henrique", "Hugo", "Jacky",
    "Lee", "Marco", "Mario", "Michael", "Mike", "Nguyen", "Reed", "RicishayMax", "Storm", "adam",
    "anika", "announcer", "antonio", "aunty", "belinda", "benjamin", "boris", "caleb", "david",
    "ed", "edward", "f1", "f2", "f3", "f4", "f5", "grandma", "grandpa", "gustave", "ian", "iven",
    "john", "kaukovalta", "klatt", "klatt4", "linda", "m1", "m2", "m3", "m4", "m5", "m6", "m7",
    "m8", "marcelo", "max", "michel", "miguel", "norbert", "pablo", "paul", "pedro", "quincy",
    "rob", "robert", "sandro", "shelby", "steph", "travis", "victor", "zac",
)  # fmt: skip
"""Vocal tracts, the speakers of the set: one of each family, without whispers and robots."""


@dataclass(frozen=True)
class Utterance:
    """One thing to say.

    Attributes:
        text: Words, or phonemes of the voice in double brackets.
        accent: One of `ACCENTS`, or the name of a language of espeak-ng.
        variant: One of `VARIANTS`.
        rate_wpm: Words per minute, 80..450.
        pitch: 0..99; 50 is the voice's own.
        pitch_range: 0..99; 50 is the voice's own.
    """

    text: str
    accent: str
    variant: str
    rate_wpm: int
    pitch: int
    pitch_range: int


def speak(utterances: Sequence[Utterance]) -> tuple[int, list[Array]]:
    """Speak all utterances; the same sequence gives the same samples.

    Returns:
        Sample rate in Hz, and int16 (N,) for each utterance.

    Raises:
        MissingDependencyError: If espeak-ng is not installed.
        EnvironmentFailureError: If it fails.
    """
    spoken = [{**asdict(each), "voice": f"{each.accent}+{each.variant}"} for each in utterances]
    answer = _ask({"utterances": spoken})
    rate_hz, count = struct.unpack_from("=2I", answer)
    lengths = struct.unpack_from(f"={count}I", answer, 8)
    samples = np.frombuffer(answer, np.int16, offset=8 + 4 * count)
    ends = np.cumsum(lengths)
    return int(rate_hz), [samples[e - n : e] for e, n in zip(ends, lengths, strict=True)]


def pronounce(texts: Sequence[str], accent: str = ACCENTS[0]) -> list[str]:
    """Return the phonemes of each text, as `rnn_edge.data.phonemes.parse_phrase` reads them.

    Args:
        texts: Words.
        accent: One of `ACCENTS`.

    Raises:
        MissingDependencyError: If espeak-ng is not installed.
        EnvironmentFailureError: If it fails.
    """
    answer = _ask({"pronounce": [{"text": text, "voice": accent} for text in texts]})
    return [str(each) for each in json.loads(answer)]


def _ask(question: Mapping[str, Any]) -> bytes:
    """Return what the program that holds the library answers."""
    loader = require("espeakng_loader", "synth", "synthetic speech")
    request = {
        "library": str(loader.get_library_path()),
        "voices": str(loader.get_data_path()),
        **question,
    }
    worker = Path(__file__).with_name("espeak_worker.py")
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(worker)],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFailureError(f"Speech synthesis failed: {error}.") from error
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise EnvironmentFailureError(
            f"Speech synthesis failed with code {done.returncode}: {reason[0]}.",
            "pip install --force-reinstall espeakng-loader",
        )
    return done.stdout
