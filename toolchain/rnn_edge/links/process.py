"""The standard input and output of a program."""

from __future__ import annotations

import subprocess
import weakref
from collections.abc import Sequence

from rnn_edge.child_process import CLOSE_TIMEOUT_S, end_child, start_child
from rnn_edge.errors import LinkError
from rnn_edge.links.descriptors import DescriptorStream

_WORDS_BYTES = 400


class ProcessStream(DescriptorStream):
    """Speaks to a program: a device in an emulator, or one behind ``ssh``.

    The program is ended by `close`, and when this object is collected.

    Args:
        command: Program and arguments.
        what: What it is, the start of messages.

    Raises:
        LinkError: If it does not start.
    """

    def __init__(self, command: Sequence[str], what: str) -> None:
        try:
            self._process, words = start_child(command)
        except OSError as error:
            raise LinkError(
                f"{what} does not start: {command[0]}: {error.strerror}; expected a program."
            ) from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._words = words
        self._end = weakref.finalize(self, end_child, self._process, words)
        super().__init__(what, self._process.stdout.fileno(), self._process.stdin.fileno())

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def _release(self) -> None:
        self._end()

    def _ended(self, why: str) -> LinkError:
        try:
            code: int | None = self._process.wait(CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            code = None
        self._words.seek(0)
        said = self._words.read()[-_WORDS_BYTES:].decode(errors="replace").strip()
        how = "has closed its output" if code is None else f"has ended with exit code {code}"
        return LinkError(f"{self._what} {how}{f': {said}' if said else ''}.", "open it again")
