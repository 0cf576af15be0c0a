"""Copies a starting point into a folder, never over something that is there."""

from __future__ import annotations

import errno
import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rnn_edge.errors import EnvironmentFailureError, SpecError

DOTFILE_PREFIX = "dot-"
"""Hidden files are stored under visible names: packaging leaves hidden ones out."""


KEYWORDS_LINE = 'keywords = ["hey pico"]'
"""What a spec for keywords of one's own has before they are known."""


def keyword_lines(keywords: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return what is replaced in a starting point for keywords of one's own, and what to say.

    Args:
        keywords: As they were typed.

    Raises:
        SpecError: If one of them is no keyword, or they are not different.
        DataError: If the voices cannot say it; that is only known where they are installed.
    """
    from rnn_edge.types.phrases import fault_of_phrases

    phrases = tuple(" ".join(keyword.lower().split()) for keyword in keywords)
    fault = fault_of_phrases(phrases)
    if fault:
        raise SpecError(f"Option --keyword: {fault}.")
    said = []
    if importlib.util.find_spec("espeakng_loader") is None:
        said = ["not checked whether voices can say it: pip install 'rnn-edge[synth]'"]
    else:
        from rnn_edge.data.synthetic_phrases import check_keywords

        check_keywords(phrases)
    return {KEYWORDS_LINE: f"keywords = {json.dumps(phrases)}"}, said


def write_starter(
    source: Path, directory: Path, replaced: Mapping[str, str] | None = None
) -> list[Path]:
    """Write all files of a starting point.

    Args:
        source: Folder of the files.
        directory: Where they go; made if it is missing.
        replaced: Text of the files that another one takes the place of.

    Returns:
        The files written.

    Raises:
        EnvironmentFailureError: If one of them is there already, or cannot be written.
        OSError: If the folder's path is too long.
    """
    targets = {
        directory / path.name.replace(DOTFILE_PREFIX, ".", 1): path
        for path in sorted(source.iterdir())
    }
    for target in targets:
        if target.exists() or target.is_symlink():
            raise EnvironmentFailureError(
                f"File {target} exists; a starting point is never written over it.",
                "choose another folder, or move the file away",
            )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for target, path in targets.items():
            with target.open("xb") as file:
                content = path.read_text(encoding="utf-8")
                for old, other in (replaced or {}).items():
                    content = content.replace(old, other)
                file.write(content.encode())
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise
        raise EnvironmentFailureError(
            f"Folder {directory} cannot be written: {error.strerror}.",
            "choose a folder you may write to",
        ) from error
    return sorted(targets)
