"""The fused LSTM in a report: there where it was measured, and nowhere else."""

import re
from typing import Any

from rnn_edge.report import render_report

DRIFT_ROW = {"rms": 0.0125, "maximum": 0.5, "relative": 0.031, "curve": [[1, 0.1]], "tensor": "y"}
FUSED = {
    "steps": 20000,
    "drift": [
        {"name": "w8a16", "steps": 20000, "hidden_rms": 0.00206, "agreement": 0.9903, "rows": []},
        {"name": "litert-w8a8", "steps": 20000, "hidden_rms": 0.00441, "agreement": 0.978},
    ],
    "disagreement": [
        {
            "engines": ["litert-w8a8", "tflm-w8a8"],
            "tensor": "c0",
            "steps": 20000,
            "values": 640000,
            "differing": 435264,
            "equal": 0.3199,
            "max_lsb": 1018,
            "first_step": 7,
        },
        {
            "engines": ["litert-w8a8", "tflm-w8a8"],
            "tensor": "h0",
            "steps": 20000,
            "values": 640000,
            "differing": 0,
            "equal": 1.0,
            "max_lsb": 0,
            "first_step": None,
        },
    ],
    "keeps_state": {"litert-w8a8": True, "tflm-w8a8": False},
    "not_run": [{"engine": "other", "reason": "no <wheel> for it."}],
}
for report in FUSED["drift"]:
    report["rows"] = [DRIFT_ROW]


def cells(page: str) -> list[list[str]]:
    section = page[page.index('id="w8a8"') :]
    section = section[: section.index("</section>")].replace("\u00a0", " ")
    rows = re.findall(r"<tr>(.*?)</tr>", section)
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in rows]


def test_a_report_without_it_has_no_such_section(keyword_report: dict[str, Any]) -> None:
    assert 'id="w8a8"' not in render_report(keyword_report)
    assert 'id="w8a8"' not in render_report({**keyword_report, "fused": None})


def test_every_figure_is_printed(keyword_report: dict[str, Any]) -> None:
    page = render_report({**keyword_report, "fused": FUSED})
    rows = cells(page)
    assert ["w8a16", "20,000", "0.00206", "0.0125", "3.10 %", "99.03 %"] in rows
    assert ["litert-w8a8", "20,000", "0.00441", "0.0125", "3.10 %", "97.80 %"] in rows
    assert ["litert-w8a8 / tflm-w8a8", "c0", "31.99 %", "1,018", "7"] in rows
    assert ["litert-w8a8 / tflm-w8a8", "h0", "100.00 %", "0", "–"] in rows
    assert "litert-w8a8 keeps its state from one invocation to the next" in page
    assert "tflm-w8a8 loses its state between invocations" in page
    assert "other did not run: no &lt;wheel&gt; for it." in page


def test_one_runtime_alone_has_nothing_to_be_compared_with(keyword_report: dict[str, Any]) -> None:
    page = render_report({**keyword_report, "fused": {**FUSED, "disagreement": []}})
    assert "Fewer than two runtimes ran" in page
