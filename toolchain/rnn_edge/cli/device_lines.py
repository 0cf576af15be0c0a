"""The catalogue of devices, one device, what is connected, and what fits, as text."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rnn_edge.runners.base import Runner, all_runners
from rnn_edge.runners.choice import SIMULATOR, missing_of, runners_of
from rnn_edge.runners.udev import SERIAL_GROUP, rule_hint
from rnn_edge.spec import DeviceSpec

if TYPE_CHECKING:
    from rnn_edge.links.detection import DebugProbe, LockedBoard, SerialPort
    from rnn_edge.pipeline.device_fit import DeviceFit

_KILO, _MEGA = 1024, 1024 * 1024
_VARIABLES = {
    "rnn_edge_app_link": "link",
    "rnn_edge_step_log": "log",
    "rnn_edge_frame_ring": "ring of frames",
    "receive_ring": "received bytes",
    "retained_ram": "kept over a restart",
    "rnn_edge_served": "model",
    "rnn_edge_keeper": "what saves",
    "rnn_edge_rule_alarm": "score of alarms",
    "rnn_edge_rule_keywords": "probabilities of keywords",
    "rnn_edge_residuals": "frames and forecasts before",
}
"""What C files hold in RAM."""
NOTHING = "No board is connected: there is no serial port on USB and no debug probe."
NO_PORT = (
    "No board is connected: there is no serial port on USB; debug probes were not looked for, "
    "since pyOCD is not installed."
)
ACCESS = (
    "Hint: the cable has to carry data; on Linux you have to be in the group dialout "
    f"({SERIAL_GROUP}), and a probe of a rarer maker needs a udev rule (docs/runners.md)."
)


def list_lines(devices: Iterable[DeviceSpec]) -> list[str]:
    """Return a row for each device."""
    head = ("name", "processor", "clock", "flash", "RAM", "template", "verified", "what it is")
    rows = [
        (
            device.name,
            device.cpu,
            clock(device.clock_hz),
            size(device.flash_bytes),
            size(device.ram_bytes),
            device.template or "-",
            ", ".join(device.verified) or "-",
            device.title,
        )
        for device in devices
    ]
    return table(head, rows, right=(2, 3, 4))


def summary_of(device: DeviceSpec) -> dict[str, Any]:
    """Return what a row of `list_lines` says, as JSON values."""
    return {
        "name": device.name,
        "title": device.title,
        "cpu": device.cpu,
        "isa": device.isa,
        "clock_hz": device.clock_hz,
        "flash_bytes": device.flash_bytes,
        "ram_bytes": device.ram_bytes,
        "template": device.template,
        "verified": list(device.verified),
        "engine": f"device:{device.name}" if device.emulator else None,
    }


def show_lines(device: DeviceSpec) -> list[str]:
    """Return everything that a device's file says."""
    lines = [f"{device.name}: {device.title}"]
    lines += _row("processor", f"{device.cpu}, {device.isa}")
    lines += _row("clock", clock(device.clock_hz))
    if device.memory is not None:
        memory = device.memory
        lines += _row("flash", _place(memory.flash_origin, memory.flash_bytes))
        lines += _row("RAM", _place(memory.ram_origin, memory.ram_bytes))
        lines += _row("stack", f"{memory.stack_bytes:,} bytes of the RAM are kept for it")
        for region in memory.more:
            lines += _row("more RAM", f"{_place(region.origin, region.bytes)}, {region.name}")
    else:
        lines += _row("RAM", size(device.ram_bytes))
    lines += _row("template", device.template or "none here yet")
    if device.build is not None:
        lines += _row("compiler", f"{device.build.compiler} {' '.join(device.build.flags)}")
    if device.emulator is not None:
        arguments = " ".join(device.emulator.arguments)
        lines += _row("emulator", f"{device.emulator.program} {arguments}")
        lines += _row("engine", f"device:{device.name}")
    if device.counted_on:
        lines += _row("counted on", device.counted_on)
    lines += _row("link", ", ".join(device.links))
    for runner in runners_of(device):
        verb = "run by" if runner.runs else "flashed with"
        lines += _row(verb, f"{runner.name}{_installed(runner, device)}")
    simulator = all_runners()[SIMULATOR]
    if simulator.suits(device):
        lines += _row("simulated by", f"{simulator.name}{_installed(simulator, device)}")
    for usb in device.usb:
        lines += _row("USB", f"{usb.id}  {usb.title}")
    if device.probe_target:
        lines += _row("pyOCD target", device.probe_target)
    lines += _row("verified", ", ".join(device.verified) or "nothing was run on it")
    for source in device.sources:
        lines += _row("source", f"{source.document} ({', '.join(source.of)})")
        if source.url:
            lines += _row("", source.url)
    return lines


def detect_lines(
    ports: Sequence[SerialPort],
    probes: Sequence[DebugProbe] | None,
    locked: Sequence[LockedBoard] = (),
) -> list[str]:
    """Return what is connected, or one sentence and a hint where nothing is on USB."""
    lines = [
        f"{port.path}  {port.usb_id or 'not on USB'}  {port.title or 'without a name'}: "
        f"{_devices(port.may_be)}"
        for port in ports
    ]
    for probe in probes or ():
        chip = f", {probe.target}" if probe.target else ""
        lines.append(
            f"debug probe {probe.serial_number}  {probe.title}{chip}: {_devices(probe.may_be)}"
        )
    for board in locked:
        title = board.title or "without a name"
        lines.append(
            f"{board.node}  {board.usb_id}  {title}: {_devices(board.may_be)}, and this user may "
            "not use its USB"
        )
    if locked:
        vendors = sorted({board.usb_id.partition(":")[0] for board in locked})
        lines.append(f"Hint: {rule_hint(vendors)}")
    if probes or locked or any(port.usb_id for port in ports):
        return lines
    return [*lines, NO_PORT if probes is None else NOTHING, ACCESS]


def fit_lines(rows: Sequence[DeviceFit], name: str, hidden: int) -> list[str]:
    """Return a row for each device, and what to change where the model does not fit.

    Args:
        rows: In their order.
        name: Of the model.
        hidden: Units of each of its layers.
    """
    from rnn_edge.pipeline.device_timing import BASIS

    head = (
        *("device", "fits", "flash", "left", "RAM", "left", "stack", "of"),
        *("instructions", "at most", "step, est.", "at most", "bytes"),
    )
    cells = [
        (
            row.device.name,
            "yes" if row.fits else "no",
            "-" if row.need.flash_bytes is None else f"{row.need.flash_bytes:,}",
            "-" if row.flash_left is None else f"{row.flash_left:,}",
            f"{row.need.ram_bytes:,}",
            f"{row.ram_left:,}",
            "-" if isinstance(row.need.stack_bound, str) else f"{row.need.stack_bound:,}",
            f"{row.need.stack_bytes:,}" if row.need.stack_bytes else "-",
            "-" if isinstance(row.count, str) else f"{row.count.instructions:,.0f}",
            "-" if isinstance(row.count, str) else f"{row.count.bound_instructions:,.0f}",
            "-" if row.step_us is None else time(row.step_us),
            "-" if row.bound_us is None else time(row.bound_us),
            row.need.basis.partition(",")[0],
        )
        for row in rows
    ]
    lines = [f"{name}, {hidden} units: bytes it takes of flash and RAM, and what is left"]
    lines += table(head, cells, right=range(2, 12))
    if any(not isinstance(row.need.stack_bound, str) for row in rows):
        lines.append("stack: the most that the image can use, from its compiler's call graph")
    if any(row.step_us is not None for row in rows):
        lines.append(f"step: {BASIS}: instructions of an emulated step, one in each cycle")
    for row in rows:
        if not row.fits:
            lines.append(_lacking(row, hidden))
    return lines


def parts_lines(row: DeviceFit) -> list[str]:
    """Return what the bytes of a model on one device are made of."""
    need = row.need
    lines = [f"{row.device.name}: {row.device.title}"]
    parts = (
        ("constants", need.constants_bytes),
        ("code", need.code_bytes),
        ("application, board", need.program_bytes),
        ("state", need.state_bytes),
        ("scratch", need.scratch_bytes),
        ("buffers", need.buffers_bytes),
        ("stack", need.stack_bytes),
    )
    lines += [f"  {what:<20} {count:>12,}" for what, count in parts]
    lines += [
        f"    {_VARIABLES.get(name, name):<18} {count:>12,}"
        for name, count in sorted(need.variables.items(), key=lambda item: -item[1])
    ]
    if isinstance(need.stack_bound, str):
        lines.append(f"  the most that the stack can take: {need.stack_bound}")
    else:
        lines.append(f"  the stack can take {need.stack_bound:,} bytes at most")
    lines.append(f"  constants and code are {need.basis}{f': {need.reason}' * bool(need.reason)}")
    if isinstance(row.count, str):
        lines.append(f"  instructions are not known: {row.count}")
    else:
        count = row.count
        lines.append(
            f"  {count.instructions:,.0f} instructions in a step, {count.most_instructions:,.0f} "
            f"at most; no step takes more than {count.bound_instructions:,.0f}; counted on "
            f"{count.counted_on}"
        )
    return lines


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], right: Container[int] = ()
) -> list[str]:
    """Return rows in columns as wide as what they hold.

    Args:
        head: Names of the columns.
        rows: Cells.
        right: Indices of the columns with numbers.
    """
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    return [
        "  ".join(
            cell.rjust(width) if k in right else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]


def clock(clock_hz: int | None) -> str:
    """Return a rate in MHz."""
    return "-" if clock_hz is None else f"{clock_hz / 1e6:,.10g} MHz"


def size(count: int | None) -> str:
    """Return a number of bytes in KB or MB of 1,024 and 1,048,576 bytes."""
    if count is None:
        return "-"
    return f"{count // _MEGA:,} MB" if count % _MEGA == 0 else f"{count / _KILO:,.10g} KB"


def time(value_us: float) -> str:
    """Return a time with three digits, in the unit that suits it."""
    value, unit = (value_us, "us") if value_us < 1000 else (value_us / 1000, "ms")
    return f"{value:.3g} {unit}" if value < 100 else f"{value:,.0f} {unit}"


def _lacking(row: DeviceFit, hidden: int) -> str:
    lacks = [
        f"{-left:,} bytes of {what}"
        for what, left in (("flash", row.flash_left), ("RAM", row.ram_left))
        if left is not None and left < 0
    ]
    if row.need.stack_over:
        lacks.append(f"{row.need.stack_over:,} bytes of the place of its stack")
    if row.has_memory:
        return f"{row.device.name} lacks {lacks[0]}: more stack_bytes in its file"
    what = f"{row.device.name} lacks {' and '.join(lacks)}; "
    return what + row.ways(hidden)


def _row(what: str, value: str) -> list[str]:
    return [f"  {what:<13} {value}"]


def _place(origin: int, count: int) -> str:
    return f"{size(count)} at {origin:#010x}"


def _installed(runner: Runner, device: DeviceSpec) -> str:
    gone = missing_of(runner, device)
    if not gone:
        return ""
    if gone == (runner.name,):
        return ", which is not installed (rnn-edge doctor)"
    return f", without {', '.join(gone)}, which is not installed (rnn-edge doctor)"


def _devices(names: Sequence[str]) -> str:
    return f"may be {', '.join(names)}" if names else "no device of the catalogue"
