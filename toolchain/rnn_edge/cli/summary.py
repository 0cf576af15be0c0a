"""Bundles and evaluations as JSON and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnn_edge.pipeline import Bundle


def bundle_payload(bundle: Bundle) -> dict[str, Any]:
    """Return what a program wants to know of a bundle."""
    return {"bundle": str(bundle.path), "manifest": dict(bundle.manifest)}


def bundle_lines(bundle: Bundle) -> list[str]:
    """Return what a person wants to know of a bundle."""
    lines = [f"Bundle: {bundle.path}"]
    if "report.html" in bundle.manifest["files"]:
        lines.append(f"Report: {bundle.path / 'report.html'}")
    return lines
