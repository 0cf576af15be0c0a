"""Devices for which the same is compiled: one of them stands for the others."""


def options(device):
    """What the compiler is told."""
    return device.build.compiler, device.build.flags


def options_and_parts(device):
    """What the compiler is told, and of which parts it makes an image."""
    return *options(device), device.board and device.board.parts


def one_of_each(devices, key):
    """The names of one device of each key, an emulated one where there is one."""
    # Of equal keys the last one stays.
    ordered = sorted(devices.values(), key=lambda device: device.emulator is not None)
    return list({key(device): device.name for device in ordered}.values())
