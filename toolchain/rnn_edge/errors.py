"""The one family of errors that the library raises.

A message has the form ``what failed: value; what was expected.`` and, where there is a next
step, a hint. Only `rnn_edge.cli` turns an error into an exit code.
"""

from __future__ import annotations

import errno


class RnnEdgeError(Exception):
    """What a user can act on: one message and, where there is a next step, a hint.

    Args:
        message: What failed, with which value, and what was expected. One line.
        hint: What to do next, usually a command.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nHint: {self.hint}" if self.hint else self.message


class SpecError(RnnEdgeError):
    """A spec, or a value set on the command line, that is not valid."""


class DataError(RnnEdgeError):
    """Input data that cannot be read or used as it is."""


class SplitError(DataError):
    """Data of which a part, or a class in a part, is missing or ambiguous.

    Nothing is wrong with such data for whoever takes all of it as one part.
    """


class MissingDependencyError(RnnEdgeError):
    """An optional package, compiler or program that a command needs is not installed."""


class ModelError(RnnEdgeError):
    """A model that cannot be represented, quantized or exported."""


class EngineError(RnnEdgeError):
    """An engine that failed to load or to step a model."""


class MissingExportError(EngineError):
    """An exported file that an engine runs was not written."""


class SavedStateError(EngineError):
    """A saved state that is damaged, or of another model or layout."""


class LinkError(EngineError):
    """A link to a device that does not answer, answers something else, or has ended."""


class DeviceError(RnnEdgeError):
    """A device that is not there, cannot be flashed, or is not what it was taken for."""


class LinkRestartError(LinkError):
    """A device that started again or serves another host: its stream is lost."""


class ParityError(RnnEdgeError):
    """Two engines that must give the same bits do not."""


class BudgetError(RnnEdgeError):
    """A measure of drift that is outside its budget."""


class BundleError(RnnEdgeError):
    """A bundle that is incomplete, damaged or of another version."""


class EnvironmentFailureError(RnnEdgeError):
    """The machine refused: no permission, no space, a tool that failed."""


def hint_of(error: OSError) -> str:
    """Return what to do where the operating system refuses to write, or an empty string."""
    return _HINTS.get(error.errno or 0, "")


_OTHER_FOLDER = "choose another folder with --out"
_OWN_FOLDER = "choose a folder you may write to with --out"
_FULL = "free some space or choose another folder with --out"
_HINTS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "raise the limit on file sizes (ulimit -f)",
    errno.EACCES: _OWN_FOLDER,
    errno.EPERM: _OWN_FOLDER,
    errno.EROFS: _OWN_FOLDER,
    errno.EEXIST: _OTHER_FOLDER,
    errno.ENOTDIR: _OTHER_FOLDER,
}
