"""The header that tells the kernel library what was chosen for it."""

from __future__ import annotations

from rnn_edge.types.c_choices import CChoices

CHOICES = "rnn_edge_choices.h"
"""Of the kernel library; an export has its own in place of it."""


def choices_header(choices: CChoices) -> str:
    """Return the text of `CHOICES`."""
    macros = {
        "RNN_EDGE_PORTABLE": choices.optimize == "size",
        "RNN_EDGE_FAST": choices.optimize == "speed",
        "RNN_EDGE_TABLES_IN_RAM": choices.tables == "ram",
    }
    # Guarded each: the compiler's command line may say the same.
    defines = "".join(
        f"#ifndef {name}\n#define {name} 1\n#endif\n" for name, is_set in macros.items() if is_set
    )
    return (
        "/*\n * What the spec chose for the kernel library; it changes no bit.\n *\n"
        f' * optimize = "{choices.optimize}", tables = "{choices.tables}"\n */\n'
        "#ifndef RNN_EDGE_CHOICES_H\n#define RNN_EDGE_CHOICES_H\n\n"
        f"{defines}{chr(10) if defines else ''}#endif\n"
    )
