"""What the model costs on machines: the profiles that were measured after the build."""

from __future__ import annotations

from rnn_edge.errors import BundleError
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.profile_sections import PROFILE_SECTIONS
from rnn_edge.report.profile_sections.reading import open_profile
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section

PROFILES = "profiles"
"""Key under which profiles stand beside what the build itself wrote."""


def render(root: Node) -> Section | None:
    """Return every machine with all parts of its profile, or None where none was measured.

    Raises:
        BundleError: As `open_profiles` says.
    """
    found = open_profiles(root)
    if not found:
        return None
    return Section("latency", "Latency", join(*(part for each in found for part in _parts(each))))


def open_profiles(root: Node) -> list[Node]:
    """Return the roots of the profiles that stand in a report.

    Raises:
        BundleError: If one is none, or is of another model.
    """
    profiles = root.find(PROFILES)
    if profiles is None:
        return []
    found = [
        open_profile(each.value, f"latency{k}-") for k, each in enumerate(profiles.items(), start=1)
    ]
    digest = root.at("model_digest").text()
    for each in found:
        if each.at("model_digest").text() != digest:
            raise BundleError(
                f"Profile of model {each.at('model_digest').text()[:12]}... does not belong to the "
                f"report of {digest[:12]}....",
                "measure the model of this bundle: rnn-edge profile BUNDLE --out DIR",
            )
    return found


def _parts(profile: Node) -> list[Markup]:
    place = profile.at("place")
    name = place.at("name").text()
    kind = place.at("model").text() or place.at("processor").text()
    parts = [
        element("h3", f"On {name}: {kind}" if kind else f"On {name}"),
        paragraph(
            f"Measured after the build, by rnn-edge profile {profile.at('rnn_edge').text()}. "
            f"Frames: {profile.at('source').text()}.",
            kind="soft",
        ),
    ]
    for render_part in PROFILE_SECTIONS:
        section = render_part(profile)
        if section is not None:
            parts += [element("h4", section.title), section.body]
    return parts
