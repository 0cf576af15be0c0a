"""What a model may be called: its name begins every C symbol and is that of exported files."""

from __future__ import annotations

import re

from rnn_edge.errors import ModelError

IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]*$"
MAX_LENGTH = 40

LIBRARY_PREFIX = "rnn_edge"
"""Prefix of the kernel library's symbols and files."""

TAKEN = frozenset(
    {
        *("assert", "complex", "ctype", "errno", "fenv", "float", "inttypes", "iso646", "limits"),
        *("locale", "math", "setjmp", "signal", "stdalign", "stdarg", "stdatomic", "stdbool"),
        *("stddef", "stdint", "stdio", "stdlib", "stdnoreturn", "string", "tgmath", "threads"),
        *("time", "uchar", "wchar", "wctype"),
        # Of the firmware that is built around the model.
        *("harness", "main", "memory", "platform", "semihosting", "startup_cortex_m"),
        "startup_riscv",
    }
)
"""Files that stand beside NAME.c and NAME.h, or that these include, without their endings."""


def reserved(name: str) -> str:
    """Return why a name is not free, as the end of a sentence; an empty string if it is."""
    if name.startswith(("_", f"{LIBRARY_PREFIX}_")) or name == LIBRARY_PREFIX:
        return (
            "is reserved; expected a name that begins neither with an underscore, which belongs to "
            f'C, nor with "{LIBRARY_PREFIX}", which belongs to the kernels'
        )
    if name.lower() in TAKEN:
        return (
            f"is taken: {name.lower()}.h or {name.lower()}.c is a file of the C library or of the "
            "firmware; expected another name"
        )
    return ""


def require_model_name(name: str) -> None:
    """Refuse a name before anything is made of the model.

    Raises:
        ModelError: If it is no C identifier, too long, or not free.
    """
    if not isinstance(name, str):
        raise ModelError(f"Model name {name!r} is a {type(name).__name__}; expected a text.")
    if not re.fullmatch(IDENTIFIER, name) or len(name) > MAX_LENGTH:
        raise ModelError(
            f"Model name {name[: 2 * MAX_LENGTH]!r} is not a C identifier of at most {MAX_LENGTH} "
            "characters.",
            "use letters, digits and underscores, not beginning with a digit",
        )
    reason = reserved(name)
    if reason:
        raise ModelError(f'Model name "{name}" {reason}.')
