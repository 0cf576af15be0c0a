"""Emulated devices on this host.

Source: QEMU, "Invocation": ``-serial``, ``-chardev stdio``, ``-semihosting-config``.
"""

from __future__ import annotations

from rnn_edge.errors import DeviceError
from rnn_edge.runners.base import Job, Runner
from rnn_edge.spec import DeviceSpec

_WITHOUT_A_SCREEN = ("-display", "none", "-monitor", "none", "-parallel", "none")
_UART_IS_THE_LINK = (
    "-chardev",
    "stdio,id=link,signal=off",
    "-serial",
    "chardev:link",
    "-chardev",
    "null,id=nowhere",
    "-semihosting-config",
    "enable=on,target=native,chardev=nowhere",
)
"""Semihosting ends the emulator with the image's exit code; its console is not the link's."""

_CONSOLE_IS_THE_LINK = ("-serial", "none", "-semihosting-config", "enable=on,target=native")
"""Without a character device of its own the console is standard input and output."""


class QemuRunner(Runner):
    """Emulates a processor and its UART for as long as somebody speaks to it."""

    name = "qemu"
    title = "emulates the device on this host"
    hint = "apt install qemu-system-arm qemu-system-misc"
    image = "elf"
    runs = True

    def suits(self, device: DeviceSpec) -> bool:
        """Whether the device's file says what emulates it."""
        return device.emulator is not None

    def programs(self, device: DeviceSpec | None = None) -> tuple[str, ...]:
        """Return the emulator of the device's processor."""
        if device is None or device.emulator is None:
            return ("qemu-system-arm", "qemu-system-riscv32")
        return (device.emulator.program,)

    def commands(self, job: Job) -> tuple[tuple[str, ...], ...]:
        """Return nothing: the image is loaded where it is run."""
        self.link(job)
        return ()

    def link(self, job: Job) -> tuple[str, ...]:
        """Return the emulator with the image; the first link of the device is its input and output.

        Raises:
            DeviceError: If nothing emulates the device.
        """
        self.refuse_unsupported(job)
        emulator = job.device.emulator
        if emulator is None:
            raise DeviceError(
                f"Device {job.device.name}: no emulator is known for it; expected the table "
                "[emulator] in its file.",
                f"rnn-edge devices show {job.device.name}",
            )
        is_console = job.device.links[0] == "semihosting"
        return (
            emulator.program,
            *emulator.arguments,
            *_WITHOUT_A_SCREEN,
            *(_CONSOLE_IS_THE_LINK if is_console else _UART_IS_THE_LINK),
            "-kernel",
            str(job.image),
        )


RUNNER = QemuRunner()
