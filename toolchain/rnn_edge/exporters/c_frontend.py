"""The audio front end of a model as C: its tables, and an API over the front end's library.

Written beside the model's own files where frames are log-mel in integers; other frames are for
the application to make.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_edge.exporters.c_arrays import array_text
from rnn_edge.exporters.front_library import SOUND_LIBRARY, generated_from
from rnn_edge.features.description import front_end_of
from rnn_edge.features.fixed_point import (
    FrontEndTables,
    IntegerLogMelConfig,
    IntegerNormaliser,
    front_end_tables,
)
from rnn_edge.features.fixed_point.noise import (
    FALL,
    RISE,
    STRENGTH_Q15,
    SUPPRESSION_TABLE,
    lowest_of,
)
from rnn_edge.features.fixed_point.tables import NO_BIN
from rnn_edge.features.front_end import INTEGER_LOG_MEL
from rnn_edge.types import Array


def has_front_end(features: Mapping[str, object] | None) -> bool:
    """Return whether frames of that description are made in integers."""
    return features is not None and features.get("kind") == INTEGER_LOG_MEL


def front_end_contents(
    name: str, digest: str, features: Mapping[str, object] | None
) -> dict[str, bytes]:
    """Return the files by name; none where frames are not made in integers.

    Args:
        name: The model's name.
        digest: The model's digest.
        features: The description of the front end.

    Raises:
        DataError: If the description is not complete.
    """
    if features is None or not has_front_end(features):
        return {}
    front_end = front_end_of(features)
    config, normaliser = front_end.config, front_end.normaliser
    assert isinstance(config, IntegerLogMelConfig)
    assert normaliser is not None
    banner = generated_from(digest)
    tables, scaled = front_end_tables(config), IntegerNormaliser.of(normaliser)
    return SOUND_LIBRARY.contents(
        name,
        _header(name, banner, config),
        _source(name, banner, config, tables, scaled),
    )


def ram_bytes(config: IntegerLogMelConfig) -> int:
    """Return the size of the generated structure of a front end."""
    level = config.bands if config.tracks_noise else 0
    words = config.fft_size + 2 + config.bands + level
    return 4 * words + 4 + (2 * config.window_samples + 3) // 4 * 4


def saved_bytes(config: IntegerLogMelConfig) -> int:
    """Return the bytes of what a generated front end saves: its levels, and whether it has any."""
    return 1 + 4 * config.bands if config.tracks_noise else 0


def _shape(config: IntegerLogMelConfig) -> str:
    further = [
        words
        for words, is_on in (
            ("noise suppression", config.noise_suppression),
            ("gain normalisation", config.gain_normalisation),
        )
        if is_on
    ]
    return ", ".join(
        [
            f"{config.bands} bands",
            f"{config.window_samples} samples every {config.hop_samples}",
            f"{config.sample_rate_hz} Hz",
            *further,
        ]
    )


def _header(name: str, banner: str, config: IntegerLogMelConfig) -> str:
    upper = f"{name.upper()}_FRONTEND"
    level = f"    int32_t level[{upper}_BANDS];\n" if config.tracks_noise else ""
    saved = saved_bytes(config)
    return (
        f"/*\n * From sound to frames of {name}: {_shape(config)}.\n *\n{banner}"
        f" *\n"
        f" *     static {name}_frontend front;\n"
        f" *     int16_t x[{upper}_BANDS];\n"
        f" *\n"
        f" *     {name}_frontend_init(&front);\n"
        f" *     for (;;) {{\n"
        f" *         size_t count = read_sound(pcm); // as many as there are\n"
        f" *         for (size_t at = 0, taken; at < count; at += taken) {{\n"
        f" *             if ({name}_frontend_feed(&front, pcm + at, count - at, x, &taken)) {{\n"
        f" *                 {name}_stream_step(&stream, x, y);\n"
        f" *             }}\n"
        f" *         }}\n"
        f" *     }}\n"
        f" */\n"
        f"#ifndef {upper}_H\n#define {upper}_H\n\n"
        f'#include "rnn_edge_frontend.h"\n\n'
        f"#define {upper}_SAMPLE_RATE_HZ {config.sample_rate_hz}\n"
        f"#define {upper}_WINDOW_SAMPLES {config.window_samples}\n"
        f"#define {upper}_HOP_SAMPLES {config.hop_samples} /* samples between two frames */\n"
        f"#define {upper}_FFT_SIZE {config.fft_size}\n"
        f"#define {upper}_BANDS {config.bands} /* int16 values of a frame */\n"
        f"#define {upper}_BYTES {ram_bytes(config)} /* sizeof({name}_frontend) */\n"
        f"#define {upper}_SAVED_BYTES {saved}U /* of what it remembers besides samples */\n\n"
        f'#ifdef __cplusplus\nextern "C" {{\n#endif\n\n'
        f"extern const rnn_edge_frontend_config {name}_frontend_config;\n\n"
        f"/* One stream of sound. Yours to allocate; have as many as there are streams. */\n"
        f"typedef struct {{\n"
        f"    /* Of no meaning between frames. */\n"
        f"    int32_t spectrum[{upper}_FFT_SIZE + 2];\n"
        f"    /* Logarithms of the last frame, nepers at scale 2^-16. */\n"
        f"    int32_t raw[{upper}_BANDS];\n"
        f"    /* Carried from frame to frame. */\n"
        f"{level}"
        f"    rnn_edge_frontend_position position;\n"
        f"    int16_t pcm[{upper}_WINDOW_SAMPLES];\n"
        f"}} {name}_frontend;\n\n"
        f"/* Makes a front end ready, at the start of a stream. */\n"
        f"void {name}_frontend_init({name}_frontend *front);\n\n"
        f"/* After a gap in the sound: no frame holds samples from both sides of it. */\n"
        f"void {name}_frontend_gap({name}_frontend *front);\n\n"
        f"/* Takes samples, at most one frame's. Sets taken to how many; true when they completed\n"
        f" * a frame, which is then in x. All of pcm [count] is taken by calling it again. */\n"
        f"bool {name}_frontend_feed({name}_frontend *front, const int16_t *pcm, size_t count,\n"
        f"    int16_t x[{upper}_BANDS], size_t *taken);\n\n"
        f"/* Writes and reads {upper}_SAVED_BYTES, the same on every machine. What is restored\n"
        f" * goes on as behind a gap. False, and nothing has changed: they are of none. */\n"
        f"void {name}_frontend_save(const {name}_frontend *front, uint8_t *to);\n"
        f"bool {name}_frontend_restore({name}_frontend *front, const uint8_t *from);\n\n"
        f"#ifdef __cplusplus\n}}\n#endif\n\n#endif\n"
    )


def _source(
    name: str,
    banner: str,
    config: IntegerLogMelConfig,
    tables: FrontEndTables,
    normaliser: IntegerNormaliser,
) -> str:
    prefix = f"{name}_frontend"
    has_lone = bool((tables.lone_bins != NO_BIN).any())
    parts = [
        ("int16_t", "window", tables.window, "window, scale 2^-15"),
        ("uint16_t", "order", tables.order, "bit-reversed places"),
        ("uint32_t", "twiddles", _packed(tables.twiddles), "cos, -sin of half the size, 2^-15"),
        ("uint32_t", "turns", _packed(tables.turns), "cos, -sin of the size, scale 2^-15"),
        ("uint16_t", "segments", tables.segments, "bins from peak to peak"),
        ("uint16_t", "weights", tables.weights, "rise of each bin in its segment, scale 2^-15"),
        *(
            [("uint16_t", "lone_bins", tables.lone_bins, "bins of narrow bands")]
            if has_lone
            else []
        ),
        ("int32_t", "mean", normaliser.mean, "mean of each band, nepers at scale 2^-16"),
        ("int32_t", "multiplier", normaliser.multiplier, "1 / deviation of each band"),
        *(
            [("int16_t", "suppression", SUPPRESSION_TABLE, "ln of what is left, scale 2^-13")]
            if config.noise_suppression
            else []
        ),
    ]
    arrays = "\n".join(
        array_text(kind, f"{prefix}_{part}", values, f"[{values.size}], {words}")
        for kind, part, values, words in parts
    )
    noise = ""
    if config.tracks_noise:
        noise = (
            f"static const rnn_edge_frontend_noise {prefix}_noise = {{\n"
            f"    {f'{prefix}_suppression' if config.noise_suppression else 'NULL'},\n"
            f"    {STRENGTH_Q15 if config.gain_normalisation else 0}, {RISE}, {FALL},"
            f" {lowest_of(tables)},\n}};\n\n"
        )
    level = "front->level" if config.tracks_noise else "NULL"
    return (
        f"/*\n * Constants of the front end of {name}, and its API over the library.\n *\n"
        f"{banner} */\n"
        f'#include "{prefix}.h"\n\n#include <string.h>\n\n{arrays}\n{noise}'
        f"const rnn_edge_frontend_config {prefix}_config = {{\n"
        f"    {config.window_samples}, {config.hop_samples}, {config.fft_size}, {config.bands},\n"
        f"    {tables.first_bin}, {tables.input_shift}, {normaliser.shift},\n"
        f"    {prefix}_window,\n    {prefix}_order,\n    {prefix}_twiddles,\n"
        f"    {prefix}_turns,\n    {prefix}_segments,\n    {prefix}_weights,\n"
        f"    {f'{prefix}_lone_bins' if has_lone else 'NULL'},\n"
        f"    {prefix}_mean,\n    {prefix}_multiplier,\n"
        f"    {f'&{prefix}_noise' if config.tracks_noise else 'NULL'},\n"
        f"    UINT64_C({tables.floor}),\n    {tables.offset},\n"
        f"}};\n\n"
        f"_Static_assert(sizeof({prefix}) == {prefix.upper()}_BYTES,"
        f' "{prefix} has padding");\n\n'
        f"void {prefix}_init({prefix} *front) {{\n    memset(front, 0, sizeof *front);\n}}\n\n"
        f"void {prefix}_gap({prefix} *front) {{\n    front->position.filled = 0;\n}}\n\n"
        f"bool {prefix}_feed({prefix} *front, const int16_t *pcm, size_t count,\n"
        f"    int16_t x[{prefix.upper()}_BANDS], size_t *taken) {{\n"
        f"    const rnn_edge_frontend_memory memory = {{\n"
        f"        &front->position, front->pcm, {level}, front->spectrum, front->raw,\n    }};\n"
        f"    const bool has_frame =\n"
        f"        rnn_edge_frontend_feed(&{prefix}_config, &memory, pcm, count, taken);\n"
        f"    if (has_frame) {{\n"
        f"        rnn_edge_frontend_normalise(&{prefix}_config, front->raw, x);\n    }}\n"
        f"    return has_frame;\n}}\n\n"
        f"{_saving(prefix, config)}"
    )


def _saving(prefix: str, config: IntegerLogMelConfig) -> str:
    if not config.tracks_noise:
        return (
            f"void {prefix}_save(const {prefix} *front, uint8_t *to) {{\n"
            f"    (void)front;\n    (void)to;\n}}\n\n"
            f"bool {prefix}_restore({prefix} *front, const uint8_t *from) {{\n"
            f"    (void)from;\n    {prefix}_gap(front);\n    return true;\n}}\n"
        )
    return (
        f"void {prefix}_save(const {prefix} *front, uint8_t *to) {{\n"
        f"    rnn_edge_frontend_save(&front->position, front->level, to, {config.bands});\n}}\n\n"
        f"bool {prefix}_restore({prefix} *front, const uint8_t *from) {{\n"
        f"    return rnn_edge_frontend_restore(\n"
        f"        &front->position, front->level, from, {config.bands});\n}}\n"
    )


def _packed(pairs: Array) -> Array:
    """Return pairs of int16 as uint32, the first in the low half."""
    halves = pairs.astype(np.int64) & 0xFFFF
    return (halves[:, 0] | halves[:, 1] << 16).astype(np.uint32)
