/*
 * One turn after the other.
 */
#include "rnn_edge_app.h"

#include "rnn_edge_app_link.h"
#include "rnn_edge_board.h"
#include "rnn_edge_decision.h"
#include "rnn_edge_frame_ring.h"
#include "rnn_edge_keeper.h"
#include "rnn_edge_step_log.h"

#ifdef RNN_EDGE_APP_SAMPLES
#include "rnn_edge_front.h"
#include "rnn_edge_sample_ring.h"
#endif

static volatile rnn_edge_app_mode mode;
/* Written where frames are handed over. */
static volatile uint32_t refused;
/* Dropped with the ring when the model was taken over. */
static uint32_t emptied;
static uint32_t told_dropped;
static rnn_edge_app_counts counts;
static bool restart_is_due;
static bool is_shown;
static bool has_watchdog;

static uint32_t dropped(void) {
    return refused + emptied;
}

static bool is_found(void) {
    return rnn_edge_decision_active() != RNN_EDGE_DECISION_NOTHING || rnn_edge_decision_is_faulty();
}

static void show(void) {
    if (is_found() != is_shown) {
        is_shown = !is_shown;
        rnn_edge_board_show(is_shown);
    }
}

#ifdef RNN_EDGE_APP_SAMPLES

/* Written where samples are handed over. */
static volatile uint32_t refused_samples;
static uint32_t emptied_samples;

static void begin_samples(void) {
    rnn_edge_sample_ring_empty();
    refused_samples = 0;
    emptied_samples = 0;
    rnn_edge_front_begin();
}

/* Nobody hands samples over meanwhile. */
static void leave_samples(void) {
    emptied_samples += rnn_edge_sample_ring_empty();
    rnn_edge_front_gap();
}

size_t rnn_edge_app_push_samples(const RNN_EDGE_APP_SAMPLE *samples, size_t count) {
    const bool is_heard = mode == RNN_EDGE_MODE_SENSOR;
    const size_t taken = is_heard ? rnn_edge_sample_ring_put(samples, count) : 0;
    if (taken < count) {
        refused_samples += (uint32_t)(count - taken);
        if (is_heard) {
            rnn_edge_sample_ring_lose();
        }
    }
    return taken;
}

size_t rnn_edge_app_feed_samples(const RNN_EDGE_APP_SAMPLE *samples, size_t count) {
    return mode == RNN_EDGE_MODE_FED ? rnn_edge_sample_ring_put(samples, count) : 0;
}

#endif

void rnn_edge_app_begin(void) {
    mode = RNN_EDGE_MODE_HOST;
    rnn_edge_board_begin();
    rnn_edge_frame_ring_empty();
    refused = 0;
    emptied = 0;
    told_dropped = 0;
    counts = (rnn_edge_app_counts){.frames = 0};
    restart_is_due = false;
    rnn_edge_served_begin();
#ifdef RNN_EDGE_APP_SAMPLES
    begin_samples();
#endif
    rnn_edge_decision_begin();
    rnn_edge_log_begin();
    rnn_edge_keeper_begin();
#if defined RNN_EDGE_APP_SAMPLES && RNN_EDGE_APP_SAMPLES == RNN_EDGE_SAMPLES_ROWS
    rnn_edge_decision_settle();
#endif
    if (rnn_edge_keeper_origin() != RNN_EDGE_FROM_ZERO) {
        rnn_edge_log_state_is(RNN_EDGE_LOG_RESTORED);
    }
    is_shown = is_found();
    rnn_edge_board_show(is_shown);
    rnn_edge_app_link_begin();
    has_watchdog =
        RNN_EDGE_APP_WATCHDOG_MS != 0 && rnn_edge_board_start_watchdog(RNN_EDGE_APP_WATCHDOG_MS);
    mode = RNN_EDGE_MODE_SENSOR;
}

rnn_edge_app_mode rnn_edge_app_mode_now(void) {
    return mode;
}

void rnn_edge_app_set_mode(rnn_edge_app_mode wanted) {
    if (wanted == mode) {
        return;
    }
    const bool is_taken_over = mode == RNN_EDGE_MODE_HOST || wanted == RNN_EDGE_MODE_HOST;
    /* Nobody hands frames over in this one. */
    mode = RNN_EDGE_MODE_HOST;
    emptied += rnn_edge_frame_ring_empty();
#ifdef RNN_EDGE_APP_SAMPLES
    leave_samples();
#endif
    if (is_taken_over) {
        rnn_edge_decision_begin();
        show();
    }
    mode = wanted;
}

bool rnn_edge_app_push(const int16_t *frame) {
    if (mode == RNN_EDGE_MODE_SENSOR && rnn_edge_frame_ring_put(frame)) {
        return true;
    }
    ++refused;
    return false;
}

bool rnn_edge_app_feed(const int16_t *frame) {
    return mode == RNN_EDGE_MODE_FED && rnn_edge_frame_ring_put(frame);
}

void rnn_edge_app_restart(void) {
    restart_is_due = true;
}

uint32_t rnn_edge_app_watchdog_ms(void) {
    return has_watchdog ? RNN_EDGE_APP_WATCHDOG_MS : 0;
}

rnn_edge_app_counts rnn_edge_app_counted(void) {
    counts.dropped = dropped();
#ifdef RNN_EDGE_APP_SAMPLES
    counts.lost_samples = refused_samples + emptied_samples;
#endif
    return counts;
}

static void tell(bool has_begun, uint8_t label, uint32_t score) {
    counts.detections += has_begun ? 1 : 0;
    rnn_edge_app_link_notify(rnn_edge_log_event(has_begun, label, score));
}

#if RNN_EDGE_APP_RULE == RNN_EDGE_RULE_ALARM
static void tell_fault(bool has_begun, const uint8_t *channels, uint32_t channel, uint32_t score) {
    if (((uint32_t)channels[channel / 8U] >> channel % 8U & 1U) != 0) {
        const uint8_t label = (uint8_t)(RNN_EDGE_DECISION_FIRST_FAULT + channel);
        rnn_edge_app_link_notify(rnn_edge_log_event(has_begun, label, score));
    }
}
#endif

static void tell_changes(const rnn_edge_decision_change *change, uint32_t score) {
    if (change->ended != RNN_EDGE_DECISION_NOTHING) {
        tell(false, change->ended, change->ended_score);
    }
    if (change->begun != RNN_EDGE_DECISION_NOTHING) {
        tell(true, change->begun, score);
    }
#if RNN_EDGE_APP_RULE == RNN_EDGE_RULE_ALARM
    for (uint32_t d = 0; d < RNN_EDGE_APP_CHANNEL_COUNT; ++d) {
        tell_fault(false, change->faults_ended, d, score);
        tell_fault(true, change->faults_begun, d, score);
    }
#endif
}

/* sensors: what is known of them, or NULL. */
static void step(const int16_t *frame, const rnn_edge_decision_sensors *sensors) {
    const uint32_t now = dropped();
    if (now != told_dropped) {
        told_dropped = now;
        rnn_edge_log_note_dropped();
    }
    const bool was_reset = rnn_edge_served_step_values(frame);
    rnn_edge_decision_change change;
#ifdef RNN_EDGE_APP_SAMPLES
    rnn_edge_platform_start_ticks();
#endif
    const rnn_edge_decision decision = rnn_edge_decision_update(
        rnn_edge_served_frame(), rnn_edge_served_outputs(), sensors, &change);
#ifdef RNN_EDGE_APP_SAMPLES
    counts.decision_ticks += rnn_edge_platform_ticks();
#endif
    ++counts.frames;
    rnn_edge_log_step(true, was_reset, RNN_EDGE_APP_RULE != RNN_EDGE_RULE_NONE ? &decision : NULL);
    tell_changes(&change, decision.score);
    show();
    rnn_edge_keeper_stepped();
}

static bool step_ring(void) {
    int16_t frame[RNN_EDGE_CONFIG_INPUTS];
    const uint32_t filled = rnn_edge_frame_ring_filled();
    counts.most_filled = filled > counts.most_filled ? filled : counts.most_filled;
    if (mode == RNN_EDGE_MODE_HOST || !rnn_edge_frame_ring_take(frame)) {
        return false;
    }
    step(frame, NULL);
    return true;
}

#ifdef RNN_EDGE_APP_SAMPLES

/* Sound goes on as if nothing had been there. What was forecast of sensors before a gap says
 * nothing about what comes behind it. */
static void begin_behind_gap(void) {
#if RNN_EDGE_APP_SAMPLES == RNN_EDGE_SAMPLES_ROWS
    rnn_edge_served_reset();
    rnn_edge_log_state_is(RNN_EDGE_LOG_RESET);
    rnn_edge_decision_settle();
#endif
}

/* Takes samples up to the end of a frame, and returns whether there is one. */
static bool hear(int16_t *frame, size_t *heard) {
    *heard = 0;
    for (;;) {
        size_t count;
        size_t taken;
        const rnn_edge_sample *const oldest = rnn_edge_sample_ring_peek(&count);
        if (count == 0) {
            return false;
        }
        const bool has_frame = rnn_edge_front_take(oldest, count, frame, &taken);
        rnn_edge_sample_ring_drop(taken);
        *heard += taken;
        if (has_frame) {
            return true;
        }
    }
}

static bool step_samples(void) {
    int16_t frame[RNN_EDGE_CONFIG_INPUTS];
    size_t heard;
    const uint32_t filled = rnn_edge_sample_ring_filled();
    if (mode == RNN_EDGE_MODE_HOST) {
        return false;
    }
    if (filled == 0) {
        if (rnn_edge_sample_ring_end_gap()) {
            rnn_edge_front_gap();
            begin_behind_gap();
            rnn_edge_log_note_dropped();
            ++counts.gaps;
        }
        return false;
    }
    counts.most_samples = filled > counts.most_samples ? filled : counts.most_samples;
    rnn_edge_platform_start_ticks();
    const bool has_frame = hear(frame, &heard);
    const uint32_t ticks = rnn_edge_platform_ticks();
    counts.samples += (uint32_t)heard;
    counts.front_ticks += ticks;
    counts.most_front_ticks = ticks > counts.most_front_ticks ? ticks : counts.most_front_ticks;
    if (has_frame) {
        step(frame, rnn_edge_front_sensors());
    }
    return true;
}

#endif

/* What an application that is still itself looks like. */
static bool is_sound(void) {
#ifdef RNN_EDGE_APP_SAMPLES
    if (!rnn_edge_sample_ring_is_sound()) {
        return false;
    }
#endif
    return mode <= RNN_EDGE_MODE_FED && rnn_edge_frame_ring_is_sound() &&
           rnn_edge_decision_active() <= RNN_EDGE_CONFIG_OUTPUTS;
}

bool rnn_edge_app_turn(void) {
    uint8_t bytes[RNN_EDGE_APP_RECEIVE_BYTES];
    const size_t count = rnn_edge_board_receive(bytes, sizeof bytes);
    if (count != 0) {
        rnn_edge_app_link_take(bytes, count);
    }
#ifdef RNN_EDGE_APP_SAMPLES
    const bool has_stepped = step_ring() || step_samples();
#else
    const bool has_stepped = step_ring();
#endif
    if (restart_is_due) {
        if (!rnn_edge_keeper_save(RNN_EDGE_FROM_RAM)) {
            (void)rnn_edge_keeper_save(RNN_EDGE_FROM_FLASH);
        }
        rnn_edge_board_restart();
    }
    /* Only here, behind a link that was answered and a frame that was stepped. */
    if (has_watchdog && is_sound()) {
        rnn_edge_board_feed_watchdog();
    }
    return count != 0 || has_stepped;
}
