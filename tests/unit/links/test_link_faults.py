"""C and Python against each other over a line that drops, doubles, garbles and inserts bytes."""

import numpy as np
import pytest
from c_models import frames
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from link_lines import FaultyStream, RestartingStream

from rnn_edge.errors import LinkError, LinkRestartError
from rnn_edge.links.client import LinkClient
from rnn_edge.links.messages import StepFlag
from rnn_edge.links.process import ProcessStream
from rnn_edge.reference import IntegerReference
from rnn_edge.types import SavedState

FRAMES = 10_000
RATE = 0.01


class Ledger:
    """What became of every frame of a stream, held to the reference."""

    def __init__(self, client, x, expected):
        self.client = client
        self.x = x
        self.expected = expected
        self.answered = self.reported = self.errors = 0

    @property
    def at(self):
        return self.answered + self.reported

    def advance(self, count, ask):
        """Have frames stepped; where that fails, the device says how many of them were."""
        x = self.x[self.at : self.at + count]
        try:
            rows = ask(x)
        except LinkError:
            self.errors += 1
            stepped = self.reopen()
            assert self.at <= stepped <= self.at + count
            self.reported += stepped - self.at
            return
        np.testing.assert_array_equal(rows, self.expected[self.at : self.at + len(x)])
        self.answered += len(x)

    def reopen(self):
        for _ in range(20):
            try:
                return self.client.open().steps
            except LinkError:
                self.errors += 1
        pytest.fail("the device is gone")


@pytest.mark.slow
@pytest.mark.parametrize("attempts", [60, 5])
def test_every_frame_over_a_bad_line_is_answered_or_reported(
    linked_program, linked_model, linked_recipe, attempts
):
    x = frames(linked_recipe, FRAMES)
    trace = IntegerReference(linked_model).run(x[None])
    line = FaultyStream(
        ProcessStream([str(linked_program), "--host"], "Program"), seed=11, rate=RATE
    )
    rng = np.random.default_rng(12)
    with LinkClient(line, 0.05, attempts) as client:
        ledger = Ledger(client, x, trace.outputs[0])
        ledger.reopen()
        while ledger.at < FRAMES:
            if rng.random() < 0.7:
                ledger.advance(int(rng.integers(1, 5)), client.step)
            else:
                ledger.advance(int(rng.integers(1, 60)), client.stream)
        patient = LinkClient(line, 0.05, 200)
        assert patient.open().steps == FRAMES
        last = {name: value[0][-1] for name, value in trace.states.items()}
        assert patient.state() == SavedState.of(linked_model, last).pack()
        counters, found = patient.counters(), client.statistics
    assert ledger.answered + ledger.reported == FRAMES == counters.steps
    assert sum(line.faults.values()) > 3000
    assert min(line.faults.values()) > 500
    assert found.retries > 1000
    assert counters.damaged > 1000
    assert counters.repeated > 500
    assert (ledger.errors == 0) == (attempts == 60)


class LinkMachine(RuleBasedStateMachine):
    """A device on a bad line that starts again now and then, beside the reference in its place."""

    program = model = None

    @initialize(seed=st.integers(0, 1 << 16))
    def begin(self, seed):
        self.line = RestartingStream([str(self.program), "--host"])
        self.client = LinkClient(FaultyStream(self.line, seed, 0.003), 0.05, 60)
        self.client.open()
        self.rng = np.random.default_rng(seed)
        self.reference = IntegerReference(self.model)
        self.steps = 0
        self.saved = None

    def x(self, count):
        return self.rng.integers(-32768, 32768, (count, self.model.inputs)).astype(np.int16)

    def expect(self, x):
        self.steps += len(x)
        rows = [self.reference.step(frame[None])[0] for frame in x]
        return np.array(rows, np.int16).reshape(len(x), self.model.outputs)

    @rule(count=st.integers(0, 100), flags=st.sampled_from([StepFlag.PLAIN, StepFlag.DEPLOYED]))
    def step(self, count, flags):
        x = self.x(count)
        np.testing.assert_array_equal(self.client.step(x, flags), self.expect(x))

    @rule(count=st.integers(1, 20))
    def step_with_states(self, count):
        rows = self.client.step(x := self.x(count), StepFlag.WITH_STATES)
        outputs = self.model.outputs
        np.testing.assert_array_equal(rows[:, :outputs], self.expect(x))
        state = np.concatenate([value[0] for value in self.reference.state.values()])
        np.testing.assert_array_equal(rows[-1, outputs:], state)

    @rule(count=st.integers(0, 100))
    def stream(self, count):
        np.testing.assert_array_equal(self.client.stream(x := self.x(count)), self.expect(x))

    @rule()
    def reset(self):
        self.client.reset()
        self.reference = IntegerReference(self.model)

    @rule()
    def save(self):
        vectors = {name: value[0] for name, value in self.reference.state.items()}
        self.saved = self.client.state()
        assert self.saved == SavedState.of(self.model, vectors).pack()

    @precondition(lambda self: self.saved is not None)
    @rule()
    def restore(self):
        self.client.set_state(self.saved)
        for name, value in SavedState.unpack(self.model, self.saved).vectors(self.model).items():
            self.reference.state[name][0] = value

    @rule()
    def open_again(self):
        assert self.client.open().steps == self.steps

    @rule()
    def count(self):
        assert self.client.counters().steps == self.steps

    @rule()
    def restart(self):
        self.line.restart()
        with pytest.raises(LinkRestartError):
            self.client.reset()
        self.client.open()
        self.reference = IntegerReference(self.model)
        self.steps = 0

    def teardown(self):
        if hasattr(self, "client"):
            self.client.close()


def test_whatever_is_asked_in_whatever_order(linked_program, linked_model):
    class Machine(LinkMachine):
        program, model = linked_program, linked_model

    checks = [HealthCheck.too_slow]
    case = Machine.TestCase
    case.settings = settings(
        max_examples=8,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=checks,
    )
    case().runTest()
