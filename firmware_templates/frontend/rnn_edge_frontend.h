/*
 * Log-mel frames of 16-bit sound, in integers alone.
 *
 * A generated configuration and a few buffers of the caller's make a front end; NAME_frontend.h of
 * an export wraps both for its model. No heap, no floating point, no library beyond memory
 * functions; every function is reentrant. The arithmetic is that of IntegerLogMel in Python, to
 * the bit, on every processor.
 */
#ifndef RNN_EDGE_FRONTEND_H
#define RNN_EDGE_FRONTEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In rnn_edge_frontend_config.lone_bins: the band has bins of its own. */
#define RNN_EDGE_NO_BIN UINT16_C(0xFFFF)

/* Entries of the table of a noise suppression; its steps are 1/8 neper. */
#define RNN_EDGE_SUPPRESSION_ENTRIES 65

/* How the level of every band is followed, and what is done with it. */
typedef struct {
    /* ln of the share that is left at k / 8 nepers over the level, scale 2^-13, -4 to 0; NULL to
     * take nothing away. */
    const int16_t *suppression;
    /* A band is divided by this power of its level, scale 2^-15, 0 for none. */
    int16_t strength;
    /* Of the difference to the level a frame adds rise / 2^16 above it, fall / 2^16 below; 1 to
     * 32767. */
    int16_t rise;
    int16_t fall;
    /* Logarithm of silence, scale 2^-16. */
    int32_t lowest;
} rnn_edge_frontend_noise;

/* Constants of a front end, generated. */
typedef struct {
    uint16_t window_samples;
    uint16_t hop_samples;
    uint16_t fft_size;
    uint16_t bands;
    uint16_t first_bin;
    uint8_t input_shift;
    /* Of the normaliser, 1 to 46. */
    uint8_t shift;
    /* [window_samples], scale 2^-15. */
    const int16_t *window;
    /* [fft_size / 2], place of each complex sample in bit-reversed order. */
    const uint16_t *order;
    /* [3 * fft_size / 8], low half cos, high half -sin of 2 pi j / (fft_size / 2), scale 2^-15. */
    const uint32_t *twiddles;
    /* [fft_size / 4 + 1], the same of 2 pi k / fft_size. */
    const uint32_t *turns;
    /* [bands + 1], bins from peak to peak. */
    const uint16_t *segments;
    /* Of all bins of the segments, rise within the segment, 0 to 2^15. */
    const uint16_t *weights;
    /* [bands], the one bin of a band that is narrower than its distance, or RNN_EDGE_NO_BIN; NULL
     * where no band is. */
    const uint16_t *lone_bins;
    /* [bands], scale 2^-16, -2^22 to 2^22. */
    const int32_t *mean;
    /* [bands], positive. */
    const int32_t *multiplier;
    /* NULL where no level is followed. */
    const rnn_edge_frontend_noise *noise;
    /* Added to the energy of every band, at least 1. */
    uint64_t floor;
    /* From log2 of an energy to log2 of a power, scale 2^-16. */
    int32_t offset;
} rnn_edge_frontend_config;

/* What is carried from sample to sample beside the buffers; zero at the start. */
typedef struct {
    uint16_t filled;
    uint16_t is_level_known;
} rnn_edge_frontend_position;

/* The buffers of one front end; none may overlap another. */
typedef struct {
    rnn_edge_frontend_position *position;
    /* [window_samples], carried. */
    int16_t *pcm;
    /* [bands], carried; NULL where no level is followed. */
    int32_t *level;
    /* [fft_size + 2], of no meaning between frames: may be shared with anything else. */
    int32_t *spectrum;
    /* [bands], logarithms of the last frame, scale 2^-16. */
    int32_t *raw;
} rnn_edge_frontend_memory;

/*
 * Takes samples until a frame is complete.
 *
 * pcm: [count], int16 of any value.
 * taken: set to how many samples were taken, at most count.
 *
 * Returns true when a frame was completed: its logarithms are in memory->raw. False: all samples
 * were taken and more are needed.
 */
bool rnn_edge_frontend_feed(const rnn_edge_frontend_config *config,
                            const rnn_edge_frontend_memory *memory, const int16_t *pcm,
                            size_t count, size_t *taken);

/* Logarithms raw [bands] at scale 2^-16 to a model's input x [bands], saturated. */
void rnn_edge_frontend_normalise(const rnn_edge_frontend_config *config, const int32_t *raw,
                                 int16_t *x);

/* The parts. */

/* Samples pcm [window_samples] to bins: spectrum [fft_size + 2], real and imaginary parts of bins 0
 * to fft_size / 2, the latter up to their sign; magnitudes below 2^25. */
void rnn_edge_frontend_spectrum(const rnn_edge_frontend_config *config, const int16_t *pcm,
                                int32_t *spectrum);

/* Bins to logarithms of band energies, raw [bands] at scale 2^-16, in nepers. */
void rnn_edge_frontend_bands(const rnn_edge_frontend_config *config, const int32_t *spectrum,
                             int32_t *raw);

/* The natural logarithm of energy * 2^(offset / 2^16) at scale 2^-16, within 1.5e-4; energy >= 1.
 */
int32_t rnn_edge_frontend_log(uint64_t energy, int32_t offset);

/* Follows the levels [count] and changes the logarithms raw [count] accordingly. */
void rnn_edge_frontend_denoise(const rnn_edge_frontend_noise *noise, bool is_level_known,
                               int32_t *level, int32_t *raw, uint32_t count);

/* Levels [count] as bytes: u8, 1 where they are known, and i32 [count] in little-endian order. What
 * is read is taken only where it can be: else false, and nothing has changed. The samples of the
 * next frame are forgotten. */
void rnn_edge_frontend_save(const rnn_edge_frontend_position *position, const int32_t *level,
                            uint8_t *to, uint32_t count);
bool rnn_edge_frontend_restore(rnn_edge_frontend_position *position, int32_t *level,
                               const uint8_t *from, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
