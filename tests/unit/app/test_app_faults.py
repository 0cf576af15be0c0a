"""Faults of sensors in an application: events, the log, the LED, and a restart with all of it."""

import numpy as np
import pytest
from app_programs import RECIPE, expected_of, frames_of
from c_models import build

from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.links.application import Mode
from rnn_edge.links.client import LinkClient
from rnn_edge.links.messages import LogFlag
from rnn_edge.links.process import ProcessStream
from rnn_edge.reference import IntegerReference
from rnn_edge.reference.decisions import IntegerRule, alarm_numbers

FORECASTER = build(
    type(RECIPE)(**{**vars(RECIPE), "inputs": 3, "outputs": 9, "name": "rebuilt", "seed": 52})
)
EXPONENTS = (FORECASTER.input_exponent, FORECASTER.output_exponent)
COUNT = 240
# What hands frames over says of sensors, and looks whether the LED shows what is known.
SENSORS = """
#include <stdlib.h>
#include "rnn_edge_board.h"
#include "rnn_edge_decision.h"
static bool is_shown;
void __real_rnn_edge_board_show(bool is_detected);
void __wrap_rnn_edge_board_show(bool is_detected);
void __wrap_rnn_edge_board_show(bool is_detected) {
    is_shown = is_detected;
    __real_rnn_edge_board_show(is_detected);
}
rnn_edge_decision __real_rnn_edge_decision_update(const int16_t *, const int16_t *,
                                                  const rnn_edge_decision_sensors *,
                                                  rnn_edge_decision_change *);
rnn_edge_decision __wrap_rnn_edge_decision_update(const int16_t *, const int16_t *,
                                                  const rnn_edge_decision_sensors *,
                                                  rnn_edge_decision_change *);
rnn_edge_decision __wrap_rnn_edge_decision_update(const int16_t *x, const int16_t *y,
                                                  const rnn_edge_decision_sensors *sensors,
                                                  rnn_edge_decision_change *change) {
    (void)sensors;
    if (is_shown != (rnn_edge_decision_active() != 0 || rnn_edge_decision_is_faulty())) {
        abort();
    }
    /* The lowest bits of a frame say which channels count, and which sensors are faulty. */
    uint8_t left_out = 0;
    uint8_t faulty = 0;
    for (unsigned d = 0; d < 3; ++d) {
        left_out |= (uint8_t)(((uint16_t)x[d] & 1U) << d);
        faulty |= (uint8_t)((((uint16_t)x[d] >> 1) & 1U) << d);
    }
    const rnn_edge_decision_sensors known = {&left_out, &faulty};
    return __real_rnn_edge_decision_update(x, y, &known, change);
}
"""


def rule(threshold):
    rng = np.random.default_rng(8)
    sizes = 2.0 ** (max(EXPONENTS) + 12 + rng.uniform(0, 1.5, 9))
    whitening = np.diag(1.0 / sizes) + np.tril(rng.normal(0, 0.2, (9, 9)), -1) / sizes.max()
    more = {"offsets": (0, -2, 1), "whitening": whitening}
    more |= {"least_frames": 2, "release_frames": 3}
    return alarm_numbers(sizes**2, EXPONENTS, 6.0, threshold, 5, 100.0, 0.9, **more)


def masked_frames():
    x = frames_of(COUNT, seed=4) & ~np.int16(3)
    rng = np.random.default_rng(5)
    left_out, faulty = (rng.random((2, COUNT // 15, 3)) < 0.3).repeat(15, axis=1)
    return x | left_out | (2 * faulty).astype(np.int16), left_out, faulty


@pytest.fixture(scope="module")
def numbers():
    scores = expected_of(masked_frames()[0], FORECASTER, rule(50.0)).scores
    return rule(float(np.quantile(scores[20:], 0.6)) * 2.0 ** rule(50.0).score_exponent)


@pytest.mark.slow
def test_faults_are_told_logged_and_shown_and_go_on_over_a_restart(build_app, tmp_path, numbers):
    (tmp_path / "sensors.c").write_text(SENSORS)
    wraps = ",".join(f"--wrap=rnn_edge_{f}" for f in ("decision_update", "board_show"))
    flags = ("-O1", f"-Wl,{wraps}", str(tmp_path / "sensors.c"))
    app = AppConfig("faulty", numbers, log_records=COUNT, event_records=64, retain_every=1)
    x, left_out, faulty = masked_frames()
    outputs = IntegerReference(FORECASTER).run(x[None]).outputs[0]
    expected = IntegerRule(numbers)
    found = expected.update(x, outputs, left_out, faulty)
    assert {change.label for change in expected.changes} == {1, 2, 3, 4}
    half, events, records = COUNT // 2 - 3, [], []
    program = ProcessStream([str(build_app(app, FORECASTER, flags))], "Program")
    with LinkClient(program, 5.0) as client:
        client.open()
        for begin, end in ((0, half), (half, COUNT)):
            client.set_mode(Mode.FED)
            for at in range(begin, end, 12):
                client.feed(x[at : min(end, at + 12)])
            while client.status().frames < end - begin:
                pass
            records += client.log()
            told = client.event_log()
            events += [(begin + e.step, e.has_begun, e.label, e.score) for e in told]
            if end < COUNT:
                client.restart()
                client.open()
    np.testing.assert_array_equal([record.score for record in records], found.scores)
    is_faulty = [LogFlag.FAULTY in record.flags for record in records]
    np.testing.assert_array_equal(is_faulty, faulty.any(axis=1))
    assert events == [(c.step, c.has_begun, c.label, c.score) for c in expected.changes]
