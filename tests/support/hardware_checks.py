"""What every device has to do, spoken to over its link: on a board, simulated or emulated."""

import time

import numpy as np
import pytest
from link_lines import FaultyStream

from rnn_edge.engines.board import client_of
from rnn_edge.engines.link_engine import LinkEngine
from rnn_edge.errors import LinkRestartError
from rnn_edge.links.application import Mode, Origin, Started
from rnn_edge.links.client import LinkClient
from rnn_edge.pipeline.device_proof import proof_frames, prove
from rnn_edge.pipeline.flash import open_device
from rnn_edge.reference import IntegerReference
from rnn_edge.types.saved_state import digest_bytes

TIMEOUT_S = 30.0


class Device:
    """A device that runs the firmware of a bundle."""

    def __init__(self, place, bundle, program):
        self.place, self.bundle, self.program = place, bundle, program
        self.model = bundle.model()

    def stream(self):
        return open_device(self.place, self.program, TIMEOUT_S)

    def engine(self):
        return LinkEngine(self.model, client_of(self.place, self.stream()))

    def frames(self, steps):
        return proof_frames(self.bundle, None, steps)


def says_who_it_is(device):
    with client_of(device.place, device.stream()) as client:
        client.open()
        found, about = client.identify(), client.about()
    assert (found.name, found.digest) == (device.model.name, digest_bytes(device.model))
    assert about.device == device.place.device.name
    assert about.mode is Mode.SENSOR


def has_every_bit(device, steps):
    with device.engine() as engine:
        proof = prove(engine, device.place, device.model, device.frames(steps))
    assert proof.is_equal, proof.rows
    memory = device.place.device.memory
    if memory is not None:
        assert 0 < proof.counters.stack_bytes <= memory.stack_bytes
        assert 0 < proof.time.mean <= proof.time.most


def goes_on_from_a_saved_state(device):
    x = device.frames(120).x
    wanted = IntegerReference(device.model).run(x[None]).outputs[0]
    with device.engine() as engine:
        engine.run(x[:60])
        blob = engine.save()
        engine.run(x[:7])
        engine.restore(blob)
        assert engine.save() == blob
        np.testing.assert_array_equal(engine.run(x[60:]).outputs, wanted[60:])


def streams(device):
    x = device.frames(150).x
    wanted = IntegerReference(device.model).run(x[None]).outputs[0]
    with device.engine() as engine:
        np.testing.assert_array_equal(engine.client.stream(x), wanted)


def answers_every_frame_of_a_bad_line(device, rate=0.002):
    x = device.frames(120).x
    wanted = IntegerReference(device.model).run(x[None]).outputs[0]
    line = FaultyStream(device.stream(), seed=4, rate=rate)
    with LinkEngine(device.model, LinkClient(line, 1.0, 60)) as engine:
        before = engine.counters().steps
        rows = [engine.client.step(x[k : k + 2]) for k in range(0, 60, 2)]
        rows.append(engine.client.stream(x[60:]))
        np.testing.assert_array_equal(np.concatenate(rows), wanted)
        assert engine.counters().steps - before == len(x)
    assert sum(line.faults.values()) > 5


def comes_back_after_a_restart(device):
    x = device.frames(40).x
    client = client_of(device.place, device.stream())
    with LinkEngine(device.model, client) as engine:
        engine.run(x)
        state = engine.save()
        client.restart()
        about = _opened(client)
        # No register of a simulated board says why it has started.
        wanted = Started.UNKNOWN if device.place.is_simulated else Started.SOFTWARE
        assert about.started in (wanted, Started.SOFTWARE)
        assert about.mode is Mode.SENSOR
        if about.origin is Origin.ZERO:
            pytest.skip("the device keeps no state over a restart")
        assert client.state() == state


def _opened(client):
    """What a device says of itself as soon as it answers again."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            client.open()
            return client.about()
        except LinkRestartError:
            assert time.monotonic() < deadline


def remembers_its_steps(device):
    x = device.frames(40).x
    wanted = IntegerReference(device.model).run(x[None]).outputs[0]
    with device.engine() as engine:
        engine.run(x)
        records = engine.client.log()
    assert records
    found = np.stack([record.x for record in records])
    np.testing.assert_array_equal(found, x[-len(found) :])
    np.testing.assert_array_equal(np.stack([r.y for r in records]), wanted[-len(found) :])


def decides_on_what_it_is_fed(device):
    x = device.frames(200).x
    with client_of(device.place, device.stream()) as client:
        client.open()
        before = client.status()
        client.set_mode(Mode.FED)
        client.watch(0.0)
        client.feed(x)
        while client.status().waiting:
            pass
        seen = client.watch(0.0)
        status = client.status()
        client.set_mode(Mode.SENSOR)
    assert status.frames - before.frames == len(x)
    assert status.dropped == before.dropped
    assert len(seen.events) + seen.missed == status.events - before.events > 0
