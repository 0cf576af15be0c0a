"""The header that tells the kernel library what was chosen for it."""

from __future__ import annotations

from rnn_edge.types.c_choices import CChoices

CHOICES = "rnn_edge_choices.h"
"""Of the kernel library; an export has its own in place of it."""


def choices_header(choices: CChoices, most_kept: int = 0) -> str:
    """Return the text of `CHOICES`.

    Args:
        choices: How the C is to be.
        most_kept: Of the matrices without columns of zeros; see `c_kept.most_kept`.
    """
    macros = {
        "RNN_EDGE_PORTABLE": int(choices.optimize == "size"),
        "RNN_EDGE_FAST": int(choices.optimize == "speed"),
        "RNN_EDGE_TABLES_IN_RAM": int(choices.tables == "ram"),
        "RNN_EDGE_MOST_KEPT": most_kept,
    }
    # Guarded each: the compiler's command line may say the same.
    defines = "".join(
        f"#ifndef {name}\n#define {name} {value}\n#endif\n"
        for name, value in macros.items()
        if value
    )
    return (
        "/*\n * What the spec chose for the kernel library; it changes no bit.\n *\n"
        f' * optimize = "{choices.optimize}", tables = "{choices.tables}"\n */\n'
        "#ifndef RNN_EDGE_CHOICES_H\n#define RNN_EDGE_CHOICES_H\n\n"
        f"{defines}{chr(10) if defines else ''}#endif\n"
    )
