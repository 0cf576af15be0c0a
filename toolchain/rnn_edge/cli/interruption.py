"""What an interrupted command says."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

RESUMED = ("build", "train", "quantize", "export")
"""Commands that go on where they stopped."""

MESSAGE = "Interrupted."
GOES_ON = "run the same command again: it goes on where it stopped"


def tell_interrupted(arguments: Sequence[str]) -> None:
    """Write message and hint on stderr and, for programs, as an object on stdout.

    Args:
        arguments: The command line.
    """
    words = [word for word in arguments if not word.startswith("-")]
    is_resumed = words[:1] != [] and (words[0] in RESUMED or words[:2] == ["data", "fetch"])
    hint = GOES_ON if is_resumed else ""
    sys.stderr.write(f"{MESSAGE}\nHint: {hint}\n" if hint else f"{MESSAGE}\n")
    sys.stderr.flush()
    if "--json" in arguments:
        failure = {"kind": "Interrupted", "message": MESSAGE, "hint": hint}
        sys.stdout.write(json.dumps({"error": failure}, indent=2) + "\n")
        sys.stdout.flush()
