/*
 * The transform of a window of real samples: half as many complex ones, four at a time.
 *
 * Values are 32 bits wide, factors 16. A windowed sample is below 2^(30 - input_shift), a stage of
 * four halves its inputs and doubles a magnitude at most, so that no sum overflows and the result
 * is divided by the number of complex samples, whatever they are.
 *
 * Source: Cooley and Tukey, Mathematics of Computation 19 (1965); the split of a real transform as
 * in Sorensen et al., IEEE Trans. ASSP 35 (1987).
 */
#include "rnn_edge_frontend.h"
#include "rnn_edge_frontend_product.h"

/* Where speed counts, the stages of usual sizes are compiled with distances that are constants. */
#if defined(__GNUC__) && !defined(__OPTIMIZE_SIZE__)
#define HAS_CONSTANT_SPANS
#define STAGE static inline __attribute__((always_inline))
#else
#define STAGE static
#endif

/* Of a bin, beside the size of the transform. */
enum { SPECTRUM_BITS = 5 };

typedef struct {
    int32_t re;
    int32_t im;
} complex32;

static inline complex32 halved(const int32_t *z) {
    const complex32 found = {rnn_edge_floor_shift32(z[0], 1), rnn_edge_floor_shift32(z[1], 1)};
    return found;
}

/* Half the product of z and a factor cos, -sin. */
static inline complex32 turned(const int32_t *z, uint32_t factor) {
    const complex32 found = {
        rnn_edge_product_low(z[0], factor) - rnn_edge_product_high(z[1], factor),
        rnn_edge_add_product_low(rnn_edge_product_high(z[0], factor), z[1], factor),
    };
    return found;
}

/* A transform of four, in place: residues a, c, b, d at distances of 2 * span values. */
static inline void combine(int32_t *z, uint32_t span, complex32 a, complex32 c, complex32 b,
                           complex32 d) {
    const complex32 t0 = {a.re + c.re, a.im + c.im};
    const complex32 t1 = {a.re - c.re, a.im - c.im};
    const complex32 t2 = {b.re + d.re, b.im + d.im};
    const complex32 t3 = {b.re - d.re, b.im - d.im};
    z[0] = t0.re + t2.re;
    z[1] = t0.im + t2.im;
    z[2U * span] = t1.re + t3.im;
    z[2U * span + 1U] = t1.im - t3.re;
    z[4U * span] = t0.re - t2.re;
    z[4U * span + 1U] = t0.im - t2.im;
    z[6U * span] = t1.re - t3.im;
    z[6U * span + 1U] = t1.im + t3.re;
}

/* Windowed samples in bit-reversed order, zeros where the window has ended. */
static void shape(const rnn_edge_frontend_config *config, const int16_t *pcm, int32_t *z) {
    const uint32_t pairs = config->window_samples / 2U;
    const unsigned shift = config->input_shift;
    for (uint32_t k = 0; k < pairs; ++k) {
        int32_t *const to = z + 2U * (uint32_t)config->order[k];
        const int32_t re = (int32_t)pcm[2U * k] * config->window[2U * k];
        const int32_t im = (int32_t)pcm[2U * k + 1U] * config->window[2U * k + 1U];
        to[0] = rnn_edge_floor_shift32(re, shift);
        to[1] = rnn_edge_floor_shift32(im, shift);
    }
    for (uint32_t k = pairs; k < config->fft_size / 2U; ++k) {
        int32_t *const to = z + 2U * (uint32_t)config->order[k];
        to[0] = 0;
        to[1] = 0;
    }
}

/* The first stage of sizes that are no power of four. */
static void combine_pairs(int32_t *z, uint32_t half) {
    for (uint32_t k = 0; k < 2U * half; k += 4U) {
        const complex32 a = {z[k], z[k + 1U]};
        const complex32 b = {z[k + 2U], z[k + 3U]};
        z[k] = a.re + b.re;
        z[k + 1U] = a.im + b.im;
        z[k + 2U] = a.re - b.re;
        z[k + 3U] = a.im - b.im;
    }
}

/* One stage; step is half / (4 * span). */
STAGE void stage(const uint32_t *twiddles, int32_t *z, uint32_t half, uint32_t span,
                 uint32_t step) {
    const uint32_t group = 8U * span;
    const int32_t *const end = z + 2U * half;
    /* The factors of the first transform of a group are 1. */
    for (int32_t *at = z; at < end; at += group) {
        combine(at, span, halved(at), halved(at + 2U * span), halved(at + 4U * span),
                halved(at + 6U * span));
    }
    for (uint32_t k = 1; k < span; ++k) {
        const uint32_t one = twiddles[k * step];
        const uint32_t two = twiddles[2U * k * step];
        const uint32_t three = twiddles[3U * k * step];
        for (int32_t *at = z + 2U * k; at < end; at += group) {
            combine(at, span, halved(at), turned(at + 2U * span, two), turned(at + 4U * span, one),
                    turned(at + 6U * span, three));
        }
    }
}

static void transform(const uint32_t *twiddles, int32_t *z, uint32_t half) {
    /* Stages of four from the size of the last one downwards: what is left is 1 or 2. */
    uint32_t span = half;
    uint32_t step = 1;
    while (span > 2U) {
        span /= 4U;
        step *= 4U;
    }
    if (span == 2U) {
        combine_pairs(z, half);
    }
    for (; span < half; span *= 4U) {
        step /= 4U;
#if defined(HAS_CONSTANT_SPANS)
        if (span == 1U) {
            stage(twiddles, z, half, 1U, step);
            continue;
        }
        if (span == 4U) {
            stage(twiddles, z, half, 4U, step);
            continue;
        }
        if (span == 16U) {
            stage(twiddles, z, half, 16U, step);
            continue;
        }
        if (span == 64U) {
            stage(twiddles, z, half, 64U, step);
            continue;
        }
#endif
        stage(twiddles, z, half, span, step);
    }
}

/* Bins of the real samples from those of the complex ones; bins k and half - k at once. */
static void split(const uint32_t *turns, int32_t *z, uint32_t half) {
    const unsigned bits = SPECTRUM_BITS + 2U;
    const complex32 first = {z[0], z[1]};
    z[0] = rnn_edge_floor_shift32(first.re + first.im, bits - 1U);
    z[1] = 0;
    z[2U * half] = rnn_edge_floor_shift32(first.re - first.im, bits - 1U);
    z[2U * half + 1U] = 0;
    int32_t *low = z + 2;
    int32_t *high = z + 2U * (half - 1U);
    for (uint32_t k = 1; k <= half / 2U; ++k) {
        const complex32 sum = {low[0] + high[0], low[1] - high[1]};
        const int32_t difference[2] = {low[1] + high[1], high[0] - low[0]};
        const complex32 y = turned(difference, turns[k]);
        high[0] = rnn_edge_floor_shift32(sum.re - 2 * y.re, bits);
        high[1] = rnn_edge_floor_shift32(sum.im - 2 * y.im, bits);
        low[0] = rnn_edge_floor_shift32(sum.re + 2 * y.re, bits);
        low[1] = rnn_edge_floor_shift32(sum.im + 2 * y.im, bits);
        low += 2;
        high -= 2;
    }
}

void rnn_edge_frontend_spectrum(const rnn_edge_frontend_config *config, const int16_t *pcm,
                                int32_t *spectrum) {
    const uint32_t half = config->fft_size / 2U;
    shape(config, pcm, spectrum);
    transform(config->twiddles, spectrum, half);
    split(config->turns, spectrum, half);
}
