"""What Linux has to be told so that users may speak to a board on USB.

Source: systemd, ``70-uaccess.rules``: a rule that sets ``uaccess`` has to come before 73.
"""

from __future__ import annotations

from collections.abc import Iterable

ST_VENDOR = "0483"
JLINK_VENDOR = "1366"
RASPBERRY_PI_VENDOR = "2e8a"
ESPRESSIF_VENDOR = "303a"
SILICON_LABS_VENDOR = "10c4"
CMSIS_DAP_VENDORS = ("0d28",)
"""Of Arm: DAPLink on boards of many makers."""

RULES_FILE = "/etc/udev/rules.d/60-rnn-edge.rules"
SERIAL_GROUP = "sudo usermod -aG dialout $USER, then log in again"


def rule(vendor: str) -> str:
    """Return the line that lets whoever sits at this host use what a vendor makes.

    Args:
        vendor: Its id, four hexadecimal digits.
    """
    return f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vendor}", MODE="0660", TAG+="uaccess"'


def rule_hint(vendors: Iterable[str]) -> str:
    """Return what to type so that vendors' devices may be used."""
    lines = "\n".join(f"  {rule(vendor)}" for vendor in vendors)
    return (
        f"on Linux the board needs a udev rule; put into {RULES_FILE}\n{lines}\n"
        "  then: sudo udevadm control --reload && sudo udevadm trigger"
    )
