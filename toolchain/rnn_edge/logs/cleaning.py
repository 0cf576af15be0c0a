"""Logs without what nobody else should see."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rnn_edge.errors import DataError
from rnn_edge.logs.header import FRAMES, LogHeader, encode
from rnn_edge.logs.writer import PACKED, packed
from rnn_edge.types.closing import Closing

KEY_BYTES = 16
"""A key that is shorter can be guessed."""

NEEDED = ("step", "reset")
"""Fields that a log is no log without."""

_NUMBERS = ("x", "xf", "y", "score", "time_ms")
_HEADER_FIELDS = ("format", "model", "model_digest", "input_exponent", "output_exponent")
_HEADER_LISTS = ("frame_rate_hz", "dropped", "hashed")


@dataclass(frozen=True)
class Cleaning:
    """What to take out of a log.

    Attributes:
        out: Where the cleaned log goes; compressed if it ends with ``.gz``.
        drop: Fields that go; with one of x and xf goes the other.
        replace: Fields whose values become keyed hashes.
        key: Of the hashes; None for a random one that is forgotten afterwards.
    """

    out: Path
    drop: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    key: bytes | None = None

    def __post_init__(self) -> None:
        if set(self.drop) & set(FRAMES):
            # A frame goes in whichever form it is there.
            object.__setattr__(self, "drop", tuple(dict.fromkeys((*self.drop, *FRAMES))))
        if not self.drop and not self.replace:
            raise DataError(
                f"Cleaning into {self.out}: no field is named; expected one at least.",
                "name fields with --drop and --hash",
            )
        both = sorted(set(self.drop) & set(self.replace))
        if both:
            raise DataError(
                f"Cleaning: {', '.join(both)} cannot be dropped and hashed; expected one of both."
            )
        fixed = (*NEEDED, *_HEADER_FIELDS, *_HEADER_LISTS)
        for name in (*self.drop, *self.replace):
            if name in fixed:
                raise DataError(
                    f"Cleaning: {name} cannot be taken out; a log is read by it.",
                    "x and y can be dropped, and every field of your own",
                )
        for name in self.replace:
            if name in _NUMBERS or name in ("labels", "features"):
                raise DataError(
                    f"Cleaning: {name} cannot be hashed; expected a field of your own or label.",
                    f"drop it with --drop {name}",
                )
        if self.key is not None and len(self.key) < KEY_BYTES:
            raise DataError(
                f"Hash key: {len(self.key)} bytes; expected {KEY_BYTES} at least.",
                "make one with: head -c 32 /dev/urandom > key",
            )

    @property
    def private(self) -> frozenset[str]:
        """Fields whose values nobody is shown."""
        return frozenset((*self.drop, *self.replace))


def read_key(path: Path) -> bytes:
    """Return all bytes of a file as the key of hashes.

    Raises:
        DataError: If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"Hash key {path} cannot be read: {error.strerror}; expected a file of {KEY_BYTES} "
            "bytes or more.",
            "make one with: head -c 32 /dev/urandom > key",
        ) from error


class Cleaner(Closing):
    """Writes a cleaned log beside the one that is read.

    It is written to a temporary file, which takes its place with `finish` only.

    Args:
        cleaning: What to take out.
        source: The log that is read; it is not written over.
        header: Of that log.

    Raises:
        DataError: If the output is the log itself, or its folder is not there.
    """

    def __init__(self, cleaning: Cleaning, source: Path, header: LogHeader) -> None:
        out = cleaning.out
        if out.exists() and (not out.is_file() or out.samefile(source)):
            what = "the log itself" if out.is_file() else "no file"
            raise DataError(
                f"Cleaned log {out} is {what}; expected another file.", "name one with --clean"
            )
        if not out.parent.is_dir():
            raise DataError(f"Cleaned log {out}: folder {out.parent} does not exist.")
        self.lines = 0
        self.found: Counter[str] = Counter()
        self._cleaning = cleaning
        self._key = secrets.token_bytes(32) if cleaning.key is None else cleaning.key
        handle, name = tempfile.mkstemp(prefix="unfinished-", dir=out.parent)
        self._temporary = Path(name)
        self._raw: IO[bytes] = os.fdopen(handle, "wb")
        self._file = packed(self._raw) if out.name.endswith(PACKED) else self._raw
        self._file.write(encode(self._header(header)))

    def write(self, record: Mapping[str, Any]) -> None:
        """Write one line of the log, cleaned."""
        self._file.write(encode(self._cleaned(record)))
        self.lines += 1

    def finish(self) -> dict[str, Any]:
        """Put the cleaned log in its place; return what was done, without any value."""
        if self._file is not self._raw:
            self._file.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        self._temporary.chmod(0o644)
        self._temporary.replace(self._cleaning.out)
        chosen = self._cleaning
        return {
            "file": chosen.out.name,
            "lines": self.lines,
            "dropped": {name: self.found[name] for name in chosen.drop},
            "hashed": {name: self.found[name] for name in chosen.replace},
            "key": _key_source(chosen),
            "not_found": self._not_found(),
        }

    def close(self) -> None:
        """Give up what was not finished; calling it twice is fine."""
        self._file.close()
        self._raw.close()
        self._temporary.unlink(missing_ok=True)

    def _header(self, header: LogHeader) -> dict[str, Any]:
        """Return the header, which says what is no longer there."""
        value = self._cleaned(header.to_json())
        chosen = self._cleaning
        # A field that was hashed before and is dropped now is no longer hashed.
        listed = {
            "dropped": sorted({*header.dropped, *chosen.drop}),
            "hashed": sorted({*header.hashed, *chosen.replace} - set(chosen.drop)),
        }
        kept = {name: item for name, item in value.items() if name not in listed}
        return {**kept, **{name: names for name, names in listed.items() if names}}

    def _cleaned(self, record: Mapping[str, Any]) -> dict[str, Any]:
        chosen = self._cleaning
        kept: dict[str, Any] = {}
        for name, value in record.items():
            if name in chosen.private:
                self.found[name] += 1
            if name in chosen.replace:
                kept[name] = self._hash(name, value)
            elif name not in chosen.drop:
                kept[name] = value
        return kept

    def _not_found(self) -> list[str]:
        """Return the fields that were nowhere in the log; one form of the frames is enough."""
        chosen = self._cleaning
        found = {name for name, count in self.found.items() if count}
        if found & set(FRAMES):
            found |= set(FRAMES)
        return [name for name in (*chosen.drop, *chosen.replace) if name not in found]

    def _hash(self, name: str, value: object) -> str:
        """Return the keyed hash of a value; equal values of two fields have different ones.

        Source: RFC 2104, HMAC, with SHA-256.
        """
        text = json.dumps([name, value], separators=(",", ":"), sort_keys=True)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def _key_source(cleaning: Cleaning) -> str | None:
    if not cleaning.replace:
        return None
    return "random, not kept" if cleaning.key is None else "file"
