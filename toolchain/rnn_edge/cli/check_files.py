"""The files that `rnn-edge check` writes: JUnit, and Markdown for the summary of a CI step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.pipeline.files import explained, write_bytes
from rnn_edge.report.junit import junit_xml
from rnn_edge.report.step_summary import summary_markdown

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""Names the file that GitHub Actions shows beside a step; several commands write to it in turn."""


def require_places(*paths: Path | None) -> None:
    """Refuse files that could not be written, before anything is measured.

    Raises:
        EnvironmentFailureError: If a path is a folder, or its folder is missing, a file or
            read-only.
    """
    for path in paths:
        if path is None:
            continue
        folder = path.parent
        if path.is_dir():
            raise EnvironmentFailureError(f"{path} is a folder; expected the path of a file.")
        file = next((each for each in (folder, *folder.parents) if each.is_file()), None)
        if file is not None:
            raise EnvironmentFailureError(
                f"{file} is a file; expected a folder, for {path}.", "choose another place"
            )
        if not folder.is_dir():
            raise EnvironmentFailureError(
                f"Folder {folder} does not exist; {path.name} cannot be written there.",
                f"mkdir -p {folder}",
            )
        target = path if path.exists() else folder
        if not os.access(target, os.W_OK):
            raise EnvironmentFailureError(f"{target} cannot be written to; expected permission.")


def write_files(check: Mapping[str, Any], junit: Path | None, summary: Path | None) -> None:
    """Write what was found.

    Args:
        check: JSON of the check, or of one that broke off.
        junit: Where the JUnit file goes; None for nowhere.
        summary: Where the Markdown goes; it is appended to the file that `STEP_SUMMARY` names.

    Raises:
        EnvironmentFailureError: If a file cannot be written.
    """
    if junit is not None:
        with explained(f"Writing {junit}"):
            _write(junit, junit_xml(check))
    if summary is not None:
        content = summary_markdown(check).encode()
        with explained(f"Writing {summary}"):
            if _is_step_summary(summary):
                with summary.open("ab") as file:
                    file.write(content)
            else:
                _write(summary, content)


def _write(path: Path, content: bytes) -> None:
    if path.exists() and not path.is_file():
        # A device or a pipe stays what it is.
        path.write_bytes(content)
    else:
        write_bytes(path, content)


def _is_step_summary(path: Path) -> bool:
    named = os.environ.get(STEP_SUMMARY, "")
    return bool(named) and path.absolute() == Path(named).absolute()
