"""The pages that show profiles: that of a profile, and the report of a bundle with profiles in it.

A bundle stays as it was built: its own report has a digest in the manifest. What was measured
later stands in a copy of the report elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnn_edge.errors import BundleError
from rnn_edge.extras import require_extras
from rnn_edge.pipeline.bundle import MANIFEST, Bundle
from rnn_edge.pipeline.files import explained, read_json, write_bytes, write_json
from rnn_edge.report import render_profile, render_report

RESULT, PAGE = "profile.json", "profile.html"
REPORT, FACTS = "report.html", "report.json"

Json = Mapping[str, Any]


def check_place(out: Path, option: str = "--out") -> None:
    """Make the folder, and ask for what its pages need, before anything is measured.

    Args:
        out: The folder.
        option: What it was named with.

    Raises:
        BundleError: If the folder is a bundle.
        EnvironmentFailureError: If it cannot be made.
        MissingDependencyError: If what draws the pages is not installed.
    """
    require_extras([("report", "the plots of the page")])
    if (out / MANIFEST).exists():
        raise BundleError(
            f"Folder {out} is a bundle, which stays as it was built; expected another folder.",
            f"{option} {out}-{'profile' if option == '--out' else option.removeprefix('--')}",
        )
    with explained(f"Making {out}", option):
        out.mkdir(parents=True, exist_ok=True)


def write_profile(out: Path, result: Json, bundle: Bundle) -> list[Path]:
    """Write the result, its page, and the bundle's report with it; return the files.

    Args:
        out: A folder that is no bundle.
        result: Content of ``profile.json``.
        bundle: What was measured; one that was built until before its report has none.

    Raises:
        EnvironmentFailureError: If the folder cannot be written to.
    """
    with explained(f"Writing into {out}"):
        # First what cannot be had again without measuring.
        write_json(out / RESULT, result)
        write_bytes(out / PAGE, render_profile(result).encode())
    written = [out / RESULT, out / PAGE]
    if FACTS in bundle.manifest["files"]:
        written.append(write_report(out, bundle, [result]))
    return written


def write_report(out: Path, bundle: Bundle, profiles: Sequence[Json]) -> Path:
    """Write the report of a bundle with profiles of its model; return the file.

    Raises:
        BundleError: If the bundle has no report, or a profile is of another model.
        EnvironmentFailureError: If the folder cannot be written to.
    """
    page = render_report(read_json(bundle.file(FACTS)), profiles)
    with explained(f"Writing into {out}"):
        write_bytes(out / REPORT, page.encode())
    return out / REPORT


def read_profile(path: Path) -> Json:
    """Return what `rnn-edge profile --out` wrote.

    Args:
        path: ``profile.json``, or the folder it is in.

    Raises:
        BundleError: If it cannot be read, or is no JSON object.
    """
    file = path / RESULT if path.is_dir() else path
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(
            f"Profile {file} cannot be read: {error}.",
            "make one with: rnn-edge profile BUNDLE --out DIR",
        ) from error
    if not isinstance(found, dict):
        raise BundleError(f"Profile {file} is {type(found).__name__}; expected a JSON object.")
    return found
