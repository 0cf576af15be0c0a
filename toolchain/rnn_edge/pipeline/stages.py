"""Stages of a build, kept by the digest of their inputs.

A stage writes into a temporary folder, which is renamed once it is complete: a stage folder
exists whole or not at all, whenever the process is killed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.errors import BundleError
from rnn_edge.pipeline.files import TEMPORARY, explained, read_json, tree_digests, write_json

RECORD = "stage.json"
LOCK = "lock"


@dataclass(frozen=True)
class StageOutput:
    """A finished stage.

    Attributes:
        name: Of the stage.
        folder: Where its files are.
        digest: SHA-256 over its files.
        was_kept: Whether it was there already.
    """

    name: str
    folder: Path
    digest: str
    was_kept: bool


class StageStore:
    """The stages of one output folder.

    Args:
        root: Folder of the stages; made when the first one runs.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other builds out of the folder.

        Raises:
            BundleError: If another build is at work in it.
        """
        lock = self._lock()
        try:
            # Whatever a killed build left half-done is of no use to this one.
            for leftover in self._root.glob(f"{TEMPORARY}*"):
                if leftover.is_dir():
                    shutil.rmtree(leftover, ignore_errors=True)
                else:
                    leftover.unlink()
            yield
        except BaseException:
            if [path.name for path in self._root.iterdir()] == [LOCK]:
                (self._root / LOCK).unlink()
                self._root.rmdir()
            raise
        finally:
            os.close(lock)

    def _lock(self) -> int:
        """Return the descriptor of the lock file, which is locked until it is closed."""
        with explained(f"Preparing {self._root.parent}"):
            self._root.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._root / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A build that failed at once removes its lock file: then this one locks nothing.
            if (self._root / LOCK).stat().st_ino == os.fstat(lock).st_ino:
                return lock
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(lock)
        raise BundleError(
            f"Folder {self._root.parent} is in use: another build writes to it.",
            "wait for it, or choose another folder with --out",
        )

    def run(
        self, name: str, inputs: Mapping[str, object], make: Callable[[Path], None]
    ) -> StageOutput:
        """Return the stage's output, made now unless the same inputs made it before.

        Args:
            name: Of the stage.
            inputs: Everything its output depends on, JSON values.
            make: Writes the output into an empty folder.
        """
        key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
        folder = self._root / f"{name}-{key[:16]}"
        digest = _intact(folder)
        if digest is not None:
            return StageOutput(name, folder, digest, was_kept=True)
        with explained(f"Stage {name}"):
            shutil.rmtree(folder, ignore_errors=True)
            temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=self._root))
            try:
                make(temporary)
                files = tree_digests(temporary)
                write_json(temporary / RECORD, {"stage": name, "inputs": inputs, "files": files})
                temporary.chmod(0o755)
                temporary.rename(folder)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
        return StageOutput(name, folder, _digest(files), was_kept=False)

    def find(self, name: str, folder_name: str) -> StageOutput | None:
        """Return a finished stage by the name of its folder, or None if it is not there."""
        folder = self._root / folder_name
        digest = _intact(folder)
        return None if digest is None else StageOutput(name, folder, digest, was_kept=True)

    def prune(self, kept: list[StageOutput]) -> None:
        """Remove what earlier builds made in the stages of ``kept``; other stages stay.

        A build that ends early does not take the later stages away, which are still good if
        nothing that they depend on has changed.
        """
        folders = {stage.folder for stage in kept}
        for stage in kept:
            for folder in self._root.glob(f"{stage.name}-*"):
                if folder not in folders:
                    shutil.rmtree(folder, ignore_errors=True)


def _digest(files: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _intact(folder: Path) -> str | None:
    """Return the digest of a finished stage, or None if it is missing or was changed."""
    try:
        wanted = read_json(folder / RECORD)["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    found = tree_digests(folder)
    found.pop(RECORD, None)
    return _digest(found) if found == wanted else None
