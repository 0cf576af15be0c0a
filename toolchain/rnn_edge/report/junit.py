"""A check as a JUnit file: a test case per engine, per tensor of a device, and per limit.

The elements and their order are those that Jenkins, GitLab and the usual GitHub actions read:
testsuites / testsuite / properties, testcase / skipped, error, failure, system-out. There are no
times in it: the same check gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from rnn_edge.report.figures import limit, reading, subject

ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, such as the escape sequences of a compiler's message."""

STATE_SUITE = "state probe"
DRIFT_SUITE = "drift budget"
DEVICE_SUITE = "bits of a device"


def junit_xml(check: Mapping[str, Any]) -> bytes:
    """Return a check as XML.

    Args:
        check: JSON of the check; or of one that broke off: "bundle", and "error" with kind,
            message and hint.
    """
    root = ElementTree.Element("testsuites", name="rnn-edge check")
    if "error" in check:
        error = check["error"]
        suite = _suite(root, "check", {"bundle": check["bundle"]})
        case = _case(suite, "rnn-edge check", "completed")
        text = f"{error['message']}\n{error['hint']}".strip()
        _sub(case, "error", text, type=error["kind"], message=error["message"])
    if check.get("state"):
        _state_suite(root, check)
    if check.get("device"):
        _device_suite(root, check)
    if check.get("drift"):
        _drift_suite(root, check)
    for suite in root:
        _count(suite)
    _count(root)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _state_suite(root: ElementTree.Element, check: Mapping[str, Any]) -> None:
    state = check["state"]
    facts = {key: check[key] for key in ("bundle", "model_digest", "source")}
    suite = _suite(root, STATE_SUITE, facts | {"stream": state["stream"]})
    for row in state["engines"]:
        case = _case(suite, STATE_SUITE, row["engine"])
        if row["verdict"] is None:
            text = f"{row['detail']}\n{row['hint']}".strip()
            _sub(case, "error", text, type="engine", message=row["detail"])
            continue
        restore = {True: "yes", False: "no", None: "takes none"}[row["restores"]]
        said = f"two steps: {row['verdict']}; reset: {'yes' if row['resets'] else 'no'}; "
        said += f"restore: {restore}"
        if not row["is_sound"]:
            text = f"{said}\n{row['detail']}".strip()
            _sub(case, "failure", text, type="state", message=said)
        _sub(case, "system-out", said)
    for left in state["left_out"]:
        case = _case(suite, STATE_SUITE, left["engine"])
        _sub(case, "skipped", message=f"{left['reason']} {left['hint']}".strip())


def _device_suite(root: ElementTree.Element, check: Mapping[str, Any]) -> None:
    device = check["device"]
    facts = {key: device[key] for key in ("bundle", "model_digest", "source", "stream")}
    suite = _suite(root, DEVICE_SUITE, facts)
    for row in device["parity"]:
        case = _case(suite, f"{DEVICE_SUITE}.{row['engine']}", row["tensor"])
        said = f"{row['differing']} values differ in {row['steps']} steps"
        if row["differing"]:
            said += f" by up to {row['max_lsb']} LSB, first at step {row['first_step']}"
            _sub(case, "failure", said, type="parity", message=said)
        _sub(case, "system-out", said)


def _drift_suite(root: ElementTree.Element, check: Mapping[str, Any]) -> None:
    drift = check["drift"]
    result = drift["result"]
    facts = {key: result[key] for key in sorted(result) if isinstance(result[key], str | int)}
    facts |= {"baseline": drift["baseline"] or "", "is_strict": drift["is_strict"]}
    suite = _suite(root, DRIFT_SUITE, facts)
    for row in drift["rows"]:
        case = _case(suite, f"{DRIFT_SUITE}.{row['stream']}", subject(row))
        said = "; ".join(_said(row))
        if row["is_failure"]:
            _sub(case, "failure", said, type=row["verdict"], message=f"{subject(row)}: {said}")
        _sub(case, "system-out", said)
    for name in drift["unfinished"]:
        case = _case(suite, f"{DRIFT_SUITE}.{name}", "replayed to its end")
        _sub(case, "failure", type="unfinished", message="The replay was stopped before the end.")
    for note in drift["notes"]:
        _sub(_case(suite, DRIFT_SUITE, "note"), "skipped", message=note)


def _said(row: Mapping[str, Any]) -> Iterator[str]:
    yield f"{row['verdict']}: {reading(row['judged'])}, expected {limit(row)}"
    if row["comparison"] != "none":
        yield f"measured {reading(row['value'])}"
    if row["baseline"] is not None:
        yield f"baseline {reading(row['baseline'])}"


def _suite(
    root: ElementTree.Element, name: str, facts: Mapping[str, object]
) -> ElementTree.Element:
    suite = _sub(root, "testsuite", name=name)
    properties = _sub(suite, "properties")
    for key, value in facts.items():
        _sub(properties, "property", name=key, value=str(value))
    return suite


def _case(suite: ElementTree.Element, group: str, name: str) -> ElementTree.Element:
    return _sub(suite, "testcase", classname=group, name=name)


def _sub(
    parent: ElementTree.Element, tag: str, text: str = "", **attributes: str
) -> ElementTree.Element:
    held = {key: ILLEGAL.sub("?", value) for key, value in attributes.items()}
    element = ElementTree.SubElement(parent, tag, held)
    element.text = ILLEGAL.sub("?", text) or None
    return element


def _count(parent: ElementTree.Element) -> None:
    """Write how many test cases there are below an element, and what became of them."""
    cases = list(parent.iter("testcase"))
    counts = {"tests": len(cases)}
    for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        counts[key] = sum(case.find(tag) is not None for case in cases)
    # The root has no "skipped" in the schema of Jenkins.
    if parent.tag == "testsuites":
        del counts["skipped"]
    for key, count in counts.items():
        parent.set(key, str(count))
