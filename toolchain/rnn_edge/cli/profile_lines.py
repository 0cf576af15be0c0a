"""The result of `rnn-edge profile` as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

UNKNOWN = "not available"


def profile_lines(result: Json) -> list[str]:
    """Return a measured profile as text; the last line is the verdict."""
    lines = [_head(result), _machine(result["place"]), _settings(result), ""]
    if result["subjects"]:
        lines += [*_steps(result), "", *_streams(result), *_together(result), ""]
        lines += [*_starts(result), "", *_energy(result)]
    lines += [*_program(result), *_conditions(result)]
    if link := result["link"]:
        lines.append(
            f"over the link: {link['steps']:,} steps equal the integer reference in every bit "
            f"({', '.join(link['tensors'])})"
        )
    for row in result["instructions"] or ():
        lines.append(f"instructions of a step, {row['processor']}: {row['per_step']:,} (counted)")
    for row in result["not_measured"]:
        lines.append(f"not measured: {row['title']}: {row['reason']}")
    return [*lines, f"verdict: {verdict(result)}"]


def _head(result: Json) -> str:
    layers = ", ".join(result["layers"])
    return (
        f"{result['bundle']}: {layers}, {result['frame_rate_hz']:g} frames per second, on "
        f"{result['place']['name']}"
    )


def _machine(place: Json) -> str:
    parts = [
        place["model"] or place["processor"],
        place["machine"],
        f"{place['cores']} cores" if place["cores"] else "",
        place["system"],
        place["libc"],
        f"Python {place['python']}" if place["python"] else "",
    ]
    kind = "emulated: " if place["is_emulated"] else ""
    return f"machine: {kind}{'; '.join(part for part in parts if part)}"


def _settings(result: Json) -> str:
    settings = result["settings"]
    if not result["subjects"]:
        return "the processor is emulated: what it computes is exact, and its times mean nothing"
    clock = result["subjects"][0]["clock"]
    return (
        f"{settings['rounds']} rounds in turns of {settings['steps']:,} steps after "
        f"{settings['warm_up']:,} to warm up, one thread, a process for each engine, state "
        f"carried; clock in steps of {clock['smallest_ns']} ns, a reading {clock['reading_ns']} "
        "ns; intervals are 95 %"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]


def _steps(result: Json) -> list[str]:
    rows = []
    for each in result["subjects"]:
        step = each["step_us"]
        p50 = step["p50"]
        rows.append(
            [
                each["title"],
                _figure(p50["value"]),
                f"{_figure(p50['low'])} to {_figure(p50['high'])}",
                *(_figure(step[name]["value"]) for name in ("p95", "p99")),
                _figure(step["maximum"]),
                _figure(step["jitter"]["value"]),
                f"{each['steps_per_second']['value']:,.0f}",
                each["bits"],
            ]
        )
    head = ["a step, µs", "p50", "interval", "p95", "p99", "max", "jitter", "steps/s", "bits"]
    return _table(head, rows)


def _streams(result: Json) -> list[str]:
    rows = []
    for each in result["subjects"]:
        second, paced = each["per_second_ms"], each["paced"]
        rows.append(
            [
                each["title"],
                *(
                    _figure(second[name]["value"]) if second else "-"
                    for name in ("p50", "p95", "p99")
                ),
                _figure(second["maximum"]) if second else "-",
                f"{100 * each['core_share']['value']:.3g} %",
                f"{100 * paced['core_share']['value']:.3g} %" if paced else "-",
                f"{each['models_per_core']:,}",
                f"{paced['missed']} of {paced['steps']}" if paced else "-",
                _figure(paced["answered_us"]["p99"]["value"]) if paced else "-",
            ]
        )
    head = [
        "a second of the stream, ms", "p50", "p95", "p99", "max", "of a core", "paced",
        "models per core", "deadlines missed", "answer p99, µs",
    ]  # fmt: skip
    return _table(head, rows)


def _together(result: Json) -> list[str]:
    rows = {each["engine"]: each for each in result["subjects"]}
    if "front-end" not in rows:
        return []
    both = [rows["c"], rows["front-end"]]
    share = sum(each["core_share"]["value"] for each in both)
    hops = result["settings"]["front_end_hops"]
    at_once = f", {hops} hops at once" if hops > 1 else ""
    kind = rows["front-end"]["title"].removeprefix("audio front end ")
    text = (
        f"the C with the audio front end {kind} before it{at_once}: {100 * share:.3g} % of a core"
    )
    if all(each["paced"] for each in both):
        share = sum(each["paced"]["core_share"]["value"] for each in both)
        text += f" flat out, {100 * share:.3g} % paced in real time"
    return [text]


def _starts(result: Json) -> list[str]:
    rows = []
    for each in result["subjects"]:
        cold, memory = each["cold_start_ms"], each["memory"]
        rows.append(
            [
                each["title"],
                _figure(cold["p50"]["value"]) if cold else "-",
                f"{_figure(cold['p50']['low'])} to {_figure(cold['p50']['high'])}" if cold else "-",
                _figure(cold["maximum"]) if cold else "-",
                *(f"{memory[name] / 2**20:.2f}" for name in ("rss_bytes", "peak_bytes")),
            ]
        )
    head = ["start and memory", "cold p50, ms", "interval", "max", "RSS, MiB", "peak, MiB"]
    return _table(head, rows)


def _energy(result: Json) -> list[str]:
    lines = []
    for each in result["subjects"]:
        if found := each["energy"]:
            paced = found["paced_w"]
            real_time = "" if paced is None else f", in real time {paced:.3f} W"
            lines.append(
                f"energy of a step, {each['title']}: {_figure(found['step_uj'])} µJ "
                f"({found['busy_w']:.3f} W, idle {found['idle_w']:.3f} W{real_time}; "
                f"{found['source']})"
            )
    return [*lines, ""] if lines else []


def _program(result: Json) -> list[str]:
    program = result["program"]
    stack = program["stack_bytes"]
    return [
        f"static program of the C: file {program['file_bytes']:,} bytes, code and constants "
        f"{program['constant_bytes']:,}, variables {program['variable_bytes']:,} (buffers of the "
        f"measurement among them); state of the model {program['state_bytes']:,}; stack of a step "
        + (UNKNOWN if stack is None else f"{stack:,} bytes")
    ]


def _conditions(result: Json) -> list[str]:
    found = result["conditions"]
    if found is None:
        return []
    return [f"{when}: {_condition(found[when])}" for when in ("before", "after")]


def _condition(row: Json) -> str:
    def known(value: Any, text: str) -> str:  # noqa: ANN401 - a JSON value
        return UNKNOWN if value is None else text.format(value)

    flags = row["throttled"]
    return "; ".join(
        (
            f"governor {known(row['governor'], '{}')}",
            f"clock {known(row['frequency_mhz'], '{:.0f} MHz')}",
            f"temperature {known(row['temperature_c'], '{:.1f} °C')}",
            f"throttling {UNKNOWN if flags is None else ', '.join(flags) or 'none'}",
            f"load {known(row['load'], '{:.2f}')}",
        )
    )


def verdict(result: Json) -> str:
    """Say in one line how the C stands beside the fastest interpreter."""
    rows = {each["engine"]: each for each in result["subjects"]}
    if "c" not in rows:
        return "the C gives the reference's bits; an emulated processor says nothing about time"
    own = rows["c"]["step_us"]["p50"]["value"]
    others = [each for name, each in rows.items() if name not in ("c", "front-end")]
    text = f"a step of the C takes {_figure(own)} µs"
    if not others:
        return f"{text}; no interpreter was measured beside it"
    best = min(others, key=lambda each: float(each["step_us"]["p50"]["value"]))
    ratio = best["step_us"]["p50"]["value"] / own
    text = (
        f"{text}, flat out {ratio:.1f} times as fast as the fastest interpreter ({best['title']})"
    )
    paced = {
        name: each["paced"]["step_us"]["p50"]["value"]
        for name, each in rows.items()
        if each["paced"] and name != "front-end"
    }
    own_paced = paced.pop("c", None)
    if not own_paced or not paced:
        return text
    name = min(paced, key=lambda each: float(paced[each]))
    ratio = paced[name] / own_paced
    return f"{text}; paced in real time {ratio:.1f} times ({rows[name]['title']})"


def _figure(value: float) -> str:
    digits = 0 if value >= 1000 else 1 if value >= 100 else 2
    return f"{value:,.{digits}f}"
