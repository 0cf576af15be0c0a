"""The sensor front end of a model as C: its constants, and an API over the front end's library.

Written beside the model's own files where frames of sensor channels are made in integers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rnn_edge.exporters.front_library import SENSOR_LIBRARY, generated_from
from rnn_edge.features.description import front_end_of
from rnn_edge.features.fixed_point import IntegerWindowConfig, SensorNormaliser
from rnn_edge.features.front_end import INTEGER_CHANNELS, FrontEnd

HEALTH_BYTES, SUMS_BYTES, POSITION_BYTES = 20, 16, 8
"""Of a channel, of a channel's window and of a stream."""

SAVED_BYTES, SAVED_FEATURE_BYTES = 9, 4
"""Of a channel, and of a feature."""


def has_sensor(features: Mapping[str, object] | None) -> bool:
    """Return whether frames of that description are of sensor channels, in integers."""
    return features is not None and features.get("kind") == INTEGER_CHANNELS


def sensor_contents(
    name: str, digest: str, features: Mapping[str, object] | None
) -> dict[str, bytes]:
    """Return the files by name; none where frames are not of sensors, or not made in integers.

    Args:
        name: The model's name.
        digest: The model's digest.
        features: The description of the front end.

    Raises:
        DataError: If the description is not complete.
    """
    if features is None or not has_sensor(features):
        return {}
    front_end = front_end_of(features)
    config, normaliser = front_end.config, front_end.normaliser
    assert isinstance(config, IntegerWindowConfig)
    assert normaliser is not None
    banner = generated_from(digest)
    scales = SensorNormaliser.of(normaliser, config)
    return SENSOR_LIBRARY.contents(
        name,
        _header(name, banner, front_end, config),
        _source(name, banner, front_end, config, scales),
    )


def sensor_ram_bytes(config: IntegerWindowConfig) -> int:
    """Return the size of the generated structure of a front end."""
    return _unflagged_bytes(config) + _flag_bytes(config)


def saved_bytes(config: IntegerWindowConfig) -> int:
    """Return how many bytes of a front end outlive a gap."""
    channels = len(config.exponents)
    return channels * SAVED_BYTES + config.features(channels) * SAVED_FEATURE_BYTES


def _unflagged_bytes(config: IntegerWindowConfig) -> int:
    channels = len(config.exponents)
    ring = 4 * config.window_samples * channels if _has_ring(config) else 0
    raw = 4 * config.features(channels)
    return POSITION_BYTES + channels * (HEALTH_BYTES + SUMS_BYTES) + ring + raw


def _flag_bytes(config: IntegerWindowConfig) -> int:
    """Return the bytes of flags with which the structure needs no padding anywhere."""
    channels = len(config.exponents)
    return channels + -(_unflagged_bytes(config) + channels) % 8


def _has_ring(config: IntegerWindowConfig) -> bool:
    """Return whether windows overlap, so that their samples have to be kept."""
    return config.hop_samples < config.window_samples


def _shape(front_end: FrontEnd, config: IntegerWindowConfig) -> str:
    deviation = ", with deviations" if config.has_deviation else ""
    return (
        f"{len(config.exponents)} channels at {front_end.sample_rate_hz:g} Hz,\n"
        f" * {config.window_samples} samples every {config.hop_samples}{deviation}"
    )


def _plain(text: str) -> str:
    """Return a name as printable ASCII that ends no comment."""
    ascii_text = text.encode("ascii", "backslashreplace").decode()
    return re.sub(r"[^ -~]", "?", ascii_text).replace("*/", "* /").replace("/*", "/ *")


def _units(front_end: FrontEnd, config: IntegerWindowConfig) -> str:
    """Return what a driver has to hand over, a line for each channel."""
    lines = []
    for k, name in enumerate(front_end.channels):
        exponent = config.exponents[k]
        low, high = config.low[k], config.high[k]
        stuck = config.stuck_samples[k]
        lines.append(
            f" * {k}: {_plain(name)}\n"
            f" *     raw = value * 2^{-exponent}: {low} to {high} is {low * 2.0**exponent:.6g} to "
            f"{high * 2.0**exponent:.6g};\n"
            f" *     {f'stuck after {stuck} equal samples' if stuck else 'never stuck'}\n"
        )
    return "".join(lines)


def _header(name: str, banner: str, front_end: FrontEnd, config: IntegerWindowConfig) -> str:
    upper = f"{name.upper()}_FRONTEND"
    channels = len(config.exponents)
    ring = (
        f"    /* Rows of the window, as rnn_edge_sensor_judge gives them. */\n"
        f"    int32_t ring[{upper}_WINDOW_SAMPLES * {upper}_CHANNELS];\n"
        if _has_ring(config)
        else ""
    )
    return (
        f"/*\n * From raw samples to frames of {name}: {_shape(front_end, config)}.\n *\n{banner}"
        f" *\n"
        f" *     static {name}_frontend front;\n"
        f" *     int16_t x[{upper}_FEATURES];\n"
        f" *\n"
        f" *     {name}_frontend_init(&front);\n"
        f" *     for (;;) {{\n"
        f" *         size_t count = read_sensors(rows); // as many as there are\n"
        f" *         for (size_t at = 0, taken; at < count; at += taken) {{\n"
        f" *             if ({name}_frontend_feed(&front, rows + at * {upper}_CHANNELS,\n"
        f" *                                      count - at, x, &taken)) {{\n"
        f" *                 {name}_stream_step(&stream, x, y);\n"
        f" *             }}\n"
        f" *         }}\n"
        f" *     }}\n"
        f" *\n"
        f" * A row is an int32 for each channel, in this order, of values in the units of the\n"
        f" * training data; RNN_EDGE_SENSOR_NONE where a sample is missing. Beyond its range\n"
        f" * it is clipped.\n"
        f" *\n"
        f"{_units(front_end, config)}"
        f" *\n"
        f" * A missing sample is the last one, for {config.hold_samples} on end; a sensor has "
        f"failed with more,\n"
        f" * or with {config.fault_samples} on end that are out of range, or where it is stuck. "
        f"It works again after\n"
        f" * {config.fault_samples} good ones.\n"
        f" */\n"
        f"#ifndef {upper}_H\n#define {upper}_H\n\n"
        f'#include "rnn_edge_sensor.h"\n\n'
        f"#define {upper}_CHANNELS {channels} /* int32 values of a row */\n"
        f"#define {upper}_WINDOW_SAMPLES {config.window_samples}\n"
        f"#define {upper}_HOP_SAMPLES {config.hop_samples} /* rows between two frames */\n"
        f"#define {upper}_HOLD_SAMPLES {config.hold_samples} /* missing rows that are no gap */\n"
        f"#define {upper}_FEATURES {config.features(channels)} /* int16 values of a frame */\n"
        f"#define {upper}_MASK_BYTES {(config.features(channels) + 7) // 8}\n"
        f"#define {upper}_BYTES {sensor_ram_bytes(config)} /* sizeof({name}_frontend) */\n"
        f"#define {upper}_SAVED_BYTES {saved_bytes(config)}\n\n"
        f'#ifdef __cplusplus\nextern "C" {{\n#endif\n\n'
        f"extern const rnn_edge_sensor_config {name}_frontend_config;\n\n"
        f"/* One stream of rows. Yours to allocate; have as many as there are streams. */\n"
        f"typedef struct {{\n"
        f"    rnn_edge_sensor_sums sums[{upper}_CHANNELS];\n"
        f"    rnn_edge_sensor_position position;\n"
        f"    rnn_edge_sensor_health health[{upper}_CHANNELS];\n"
        f"{ring}"
        f"    /* Of the last frame: what is normalised, and what is wrong with each channel; the\n"
        f"     * rest of the flags is of no meaning. */\n"
        f"    int32_t raw[{upper}_FEATURES];\n"
        f"    uint8_t flags[{_flag_bytes(config)}];\n"
        f"}} {name}_frontend;\n\n"
        f"/* Makes a front end ready, at the start of a stream. */\n"
        f"void {name}_frontend_init({name}_frontend *front);\n\n"
        f"/* After a gap of more rows than are held, or a re-start of the machine: no frame\n"
        f" * holds rows from both sides of it. The model's state and what is decided begin anew,\n"
        f" * too. */\n"
        f"void {name}_frontend_gap({name}_frontend *front);\n\n"
        f"/* Takes rows, at most one frame's. Sets taken to how many; true when they completed a\n"
        f" * frame, which is then in x. All of rows [count][{upper}_CHANNELS] is taken by\n"
        f" * calling it again. */\n"
        f"bool {name}_frontend_feed({name}_frontend *front, const int32_t *rows, size_t count,\n"
        f"    int16_t x[{upper}_FEATURES], size_t *taken);\n\n"
        f"/* What was wrong with each channel in the last frame, [{upper}_CHANNELS]: flags of\n"
        f" * rnn_edge_sensor.h. */\n"
        f"const uint8_t *{name}_frontend_flags(const {name}_frontend *front);\n\n"
        f"/* The same as bits by feature, feature d bit d % 8 of byte d / 8: what counts nothing\n"
        f" * in this frame, and which sensors have failed. */\n"
        f"void {name}_frontend_masks(const {name}_frontend *front,\n"
        f"    uint8_t left_out[{upper}_MASK_BYTES], uint8_t faulty[{upper}_MASK_BYTES]);\n\n"
        f"/* What outlives a gap, the same on every machine. What is restored goes on as behind a\n"
        f" * gap; false, and nothing has changed, where it cannot be what was saved. */\n"
        f"void {name}_frontend_save(const {name}_frontend *front,\n"
        f"    uint8_t to[{upper}_SAVED_BYTES]);\n"
        f"bool {name}_frontend_restore({name}_frontend *front,\n"
        f"    const uint8_t from[{upper}_SAVED_BYTES]);\n\n"
        f"#ifdef __cplusplus\n}}\n#endif\n\n#endif\n"
    )


def _source(
    name: str,
    banner: str,
    front_end: FrontEnd,
    config: IntegerWindowConfig,
    scales: SensorNormaliser,
) -> str:
    prefix, upper = f"{name}_frontend", f"{name.upper()}_FRONTEND"
    channels = "".join(
        f"    {{{low}, {high}, {centre}, {stuck}}}, /* {_plain(label)} */\n"
        for low, high, centre, stuck, label in zip(
            config.low,
            config.high,
            config.centre,
            config.stuck_samples,
            front_end.channels,
            strict=True,
        )
    )
    features = "".join(
        f"    {{INT64_C({bias}), {multiplier}, {shift}}}, /* {_plain(label)} */\n"
        for bias, multiplier, shift, label in zip(
            scales.bias.tolist(),
            scales.multiplier.tolist(),
            scales.shift.tolist(),
            front_end.feature_names,
            strict=True,
        )
    )
    ring = "front->ring" if _has_ring(config) else "NULL"
    memory = (
        f"    const rnn_edge_sensor_memory memory = {{\n"
        f"        &front->position, front->health, front->sums, {ring},\n    }};\n"
    )
    return (
        f"/*\n * Constants of the front end of {name}, and its API over the library.\n *\n"
        f"{banner} */\n"
        f'#include "{prefix}.h"\n\n#include <string.h>\n\n'
        f"/* [{len(config.exponents)}]: low, high, centre, stuck_samples */\n"
        f"static const rnn_edge_sensor_channel {prefix}_channels[] = {{\n{channels}}};\n"
        f"_Static_assert(sizeof {prefix}_channels =="
        f" {len(config.exponents)} * sizeof(rnn_edge_sensor_channel),\n"
        f'               "{prefix}_channels is incomplete");\n\n'
        f"/* [{len(scales.bias)}]: bias, multiplier, shift */\n"
        f"static const rnn_edge_sensor_scale {prefix}_scales[] = {{\n{features}}};\n"
        f"_Static_assert(sizeof {prefix}_scales =="
        f" {len(scales.bias)} * sizeof(rnn_edge_sensor_scale),\n"
        f'               "{prefix}_scales is incomplete");\n\n'
        f"const rnn_edge_sensor_config {prefix}_config = {{\n"
        f"    {len(config.exponents)}, {config.window_samples}, {config.hop_samples},"
        f" {config.hold_samples}, {config.fault_samples}, {int(config.has_deviation)},\n"
        f"    {prefix}_channels,\n    {prefix}_scales,\n}};\n\n"
        f"_Static_assert(sizeof({prefix}) == {upper}_BYTES,\n"
        f'               "{prefix} has padding");\n\n'
        f"void {prefix}_init({prefix} *front) {{\n    memset(front, 0, sizeof *front);\n}}\n\n"
        f"void {prefix}_gap({prefix} *front) {{\n{memory}"
        f"    rnn_edge_sensor_gap(&{prefix}_config, &memory);\n}}\n\n"
        f"bool {prefix}_feed({prefix} *front, const int32_t *rows, size_t count,\n"
        f"    int16_t x[{upper}_FEATURES], size_t *taken) {{\n{memory}"
        f"    const bool has_frame = rnn_edge_sensor_feed(&{prefix}_config, &memory, rows, count,\n"
        f"        front->raw, front->flags, taken);\n"
        f"    if (has_frame) {{\n"
        f"        rnn_edge_sensor_normalise(&{prefix}_config, front->raw, x);\n    }}\n"
        f"    return has_frame;\n}}\n\n"
        f"const uint8_t *{prefix}_flags(const {prefix} *front) {{\n"
        f"    return front->flags;\n}}\n\n"
        f"void {prefix}_masks(const {prefix} *front,\n"
        f"    uint8_t left_out[{upper}_MASK_BYTES], uint8_t faulty[{upper}_MASK_BYTES]) {{\n"
        f"    rnn_edge_sensor_masks(&{prefix}_config, front->flags, left_out, faulty);\n}}\n\n"
        f"void {prefix}_save(const {prefix} *front, uint8_t to[{upper}_SAVED_BYTES]) {{\n"
        f"    rnn_edge_sensor_save(&{prefix}_config, front->health, front->raw, to);\n}}\n\n"
        f"bool {prefix}_restore({prefix} *front,\n"
        f"    const uint8_t from[{upper}_SAVED_BYTES]) {{\n{memory}"
        f"    return rnn_edge_sensor_restore(&{prefix}_config, &memory, front->raw, from);\n}}\n"
    )
