"""Small data sets made on the spot, and the folder of real recordings where there is one."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

REPOSITORY = Path(__file__).parents[3]
WORDS = ("yes", "no", "bird", "cat")
SPEAKERS = {"train": ("a1", "a2", "a3"), "validation": ("b1",), "test": ("c1",)}


@pytest.fixture
def real_pack() -> Callable[[str], Path]:
    def find(name: str) -> Path:
        folder = Path(os.environ.get("RNN_EDGE_DATA", REPOSITORY.parent / "shared" / "data"))
        path = folder / name
        if not path.exists():
            pytest.skip(f"needs {name}; set RNN_EDGE_DATA to the folder that holds it")
        return path

    return find


def tone(samples: int, rate_hz: int, hz: float = 440.0) -> np.ndarray:
    return np.rint(8000 * np.sin(2 * np.pi * hz * np.arange(samples) / rate_hz)).astype(np.int16)


def encode(samples: np.ndarray, rate_hz: int, subtype: str = "PCM_16", kind: str = "WAV") -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate_hz, subtype=subtype, format=kind)
    return stream.getvalue()


@pytest.fixture
def wav() -> Callable[..., bytes]:
    """Encode samples; without any, a tone of 1 s."""

    def make(
        samples: np.ndarray | None = None,
        rate_hz: int = 16_000,
        subtype: str = "PCM_16",
        kind: str = "WAV",
    ) -> bytes:
        return encode(
            tone(rate_hz, rate_hz) if samples is None else samples, rate_hz, subtype, kind
        )

    return make


@pytest.fixture
def words_folder(tmp_path: Path) -> Path:
    """Four words by five speakers in the layout of Speech Commands, each clip different."""
    root = tmp_path / "words"
    lists: dict[str, list[str]] = {"validation": [], "test": []}
    for w, word in enumerate(WORDS):
        (root / word).mkdir(parents=True)
        for s, (split, speaker) in enumerate(
            (split, speaker) for split, names in SPEAKERS.items() for speaker in names
        ):
            for n in range(2):
                name = f"{word}/{speaker}_nohash_{n}"
                samples = tone(4000, 16_000, 200.0 + 97 * w + 31 * s + 7 * n)
                (root / f"{name}.wav").write_bytes(encode(samples, 16_000))
                if split in lists:
                    lists[split].append(f"{name}.wav")
    (root / "validation_list.txt").write_text("\n".join(lists["validation"]) + "\n")
    (root / "testing_list.txt").write_text("\n".join(lists["test"]) + "\n")
    (root / "_background_noise_").mkdir()
    noise = np.random.Generator(np.random.PCG64(5)).integers(-3000, 3000, 16_000 * 12)
    (root / "_background_noise_" / "rain.wav").write_bytes(encode(noise.astype(np.int16), 16_000))
    return root


@pytest.fixture
def pack() -> Callable[..., Path]:
    """Put a folder into an archive, below one leading folder."""

    def make(folder: Path, name: str, mode: str = "w") -> Path:
        path = folder.parent / name
        with tarfile.open(path, mode) as archive:
            archive.add(folder, arcname="set")
        return path

    return make
