/*
 * Units of the gated cells on x86-64, eight at a time in the int32 lanes of a vector.
 *
 * Each step of the arithmetic is that of rnn_edge_gru_units.c and rnn_edge_lstm_units.c, and takes
 * the same values there: results that cannot leave int16 are not saturated here.
 */
#include "rnn_edge_activation.h"
#include "rnn_edge_kernels.h"
#include "rnn_edge_x86.h"

#if defined(RNN_EDGE_X86) && RNN_EDGE_HAS_VECTORS

enum { AT_ONCE = 8, STRIDE = RNN_EDGE_UNITS_AT_ONCE, TANH_EXPONENT = -13, UNIT_EXPONENT = -15 };

RNN_EDGE_AVX2_INLINE __m256i load(const int16_t *from) {
    return _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(const void *)from));
}

/* a + b, saturated. */
RNN_EDGE_AVX2_INLINE __m256i load_sum(const int16_t *a, const int16_t *b) {
    const __m128i left = _mm_loadu_si128((const __m128i *)(const void *)a);
    const __m128i right = _mm_loadu_si128((const __m128i *)(const void *)b);
    return _mm256_cvtepi16_epi32(_mm_adds_epi16(left, right));
}

/* Saturates. */
RNN_EDGE_AVX2_INLINE void store(int16_t *to, __m256i values) {
    const __m128i low = _mm256_castsi256_si128(values);
    const __m128i high = _mm256_extracti128_si256(values, 1);
    _mm_storeu_si128((__m128i *)(void *)to, _mm_packs_epi32(low, high));
}

RNN_EDGE_AVX2_INLINE __m256i saturated(__m256i values) {
    const __m256i low = _mm256_max_epi32(values, _mm256_set1_epi32(INT16_MIN));
    return _mm256_min_epi32(low, _mm256_set1_epi32(INT16_MAX));
}

/* value / 2^bits to nearest, ties away from zero; bits 1..30. */
RNN_EDGE_AVX2_INLINE __m256i divided_away(__m256i value, int bits) {
    const __m256i half = _mm256_set1_epi32((int32_t)1 << (bits - 1));
    const __m256i magnitude = _mm256_add_epi32(_mm256_abs_epi32(value), half);
    return _mm256_sign_epi32(_mm256_srli_epi32(magnitude, bits), value);
}

/* a * b / 2^bits; bits 2..30. */
RNN_EDGE_AVX2_INLINE __m256i multiplied(__m256i a, __m256i b, int bits) {
    const __m256i product = _mm256_mullo_epi32(a, b);
    const __m256i half = _mm256_srai_epi32(_mm256_add_epi32(product, _mm256_set1_epi32(1)), 1);
    return divided_away(half, bits - 1);
}

/* The table at position / 2^bits, times 2^bits; position below 255 * 2^bits. */
RNN_EDGE_AVX2_INLINE __m256i table_at(__m256i position, int bits) {
    const __m256i index = _mm256_srli_epi32(position, bits);
    const __m256i fraction =
        _mm256_and_si256(position, _mm256_set1_epi32(((int32_t)1 << bits) - 1));
    /* An entry in the lower half of a lane, and the one after it. */
    const __m256i pair =
        _mm256_i32gather_epi32((const int *)(const void *)rnn_edge_sigmoid_table, index, 2);
    const __m256i low = _mm256_and_si256(pair, _mm256_set1_epi32(UINT16_MAX));
    const __m256i rise = _mm256_sub_epi32(_mm256_srli_epi32(pair, 16), low);
    /* Both factors are below 2^10. */
    return _mm256_add_epi32(_mm256_slli_epi32(low, bits), _mm256_madd_epi16(rise, fraction));
}

RNN_EDGE_AVX2_INLINE __m256i logistic(__m256i x) {
    const __m256i magnitude = _mm256_abs_epi32(x);
    const __m256i twice = _mm256_add_epi32(magnitude, magnitude);
    const __m256i position = _mm256_add_epi32(_mm256_add_epi32(twice, twice), twice);
    /* The last position that has a right neighbour gives INT16_MAX as well. */
    const __m256i inside = _mm256_min_epi32(position, _mm256_set1_epi32((255 << 9) - 1));
    const __m256i sum = _mm256_add_epi32(table_at(inside, 9), _mm256_set1_epi32(1 << 9));
    const __m256i value = _mm256_srli_epi32(sum, 10);
    const __m256i negative = _mm256_srai_epi32(x, 31);
    /* 32768 - value where x is negative: its complement, and 32769 more. */
    return _mm256_add_epi32(_mm256_xor_si256(value, negative),
                            _mm256_and_si256(negative, _mm256_set1_epi32(32769)));
}

RNN_EDGE_AVX2_INLINE __m256i hyperbolic(__m256i x) {
    const __m256i magnitude = _mm256_abs_epi32(x);
    const __m256i thrice = _mm256_add_epi32(_mm256_add_epi32(magnitude, magnitude), magnitude);
    const __m256i up = _mm256_add_epi32(_mm256_srai_epi32(x, 31), _mm256_set1_epi32(1));
    const __m256i position = _mm256_srli_epi32(_mm256_add_epi32(thrice, up), 1);
    const __m256i sum =
        _mm256_sub_epi32(table_at(position, 8), _mm256_set1_epi32(((int32_t)1 << 23) - (1 << 7)));
    return _mm256_sign_epi32(_mm256_srli_epi32(sum, 8), x);
}

RNN_EDGE_AVX2_INLINE void gru_eight(const int16_t *gx, const int16_t *gh, const int16_t *h,
                                    int16_t *next) {
    const __m256i r = logistic(load_sum(gx, gh));
    const __m256i z = logistic(load_sum(gx + STRIDE, gh + STRIDE));

    const __m256i gated = multiplied(r, load(gh + 2 * STRIDE), 15);
    const __m256i candidate = _mm256_add_epi32(load(gx + 2 * STRIDE), gated);
    const __m256i n = hyperbolic(saturated(_mm256_slli_epi32(candidate, 2)));

    const __m256i difference = divided_away(_mm256_sub_epi32(load(h), n), 1);
    const __m256i kept = multiplied(z, difference, 15);
    store(next, _mm256_add_epi32(n, _mm256_add_epi32(kept, kept)));
}

/* The cell's state at the scale of an argument of tanh. */
RNN_EDGE_AVX2_INLINE __m256i to_tanh(__m256i c, int cell_exponent) {
    const int up = cell_exponent - TANH_EXPONENT;
    if (up >= 0) {
        return saturated(_mm256_slli_epi32(c, up));
    }
    const __m256i half = _mm256_srai_epi32(_mm256_add_epi32(c, _mm256_set1_epi32(1)), 1);
    return up == -1 ? half : divided_away(half, -up - 1);
}

RNN_EDGE_AVX2_INLINE void lstm_eight(int cell_exponent, const int16_t *gx, const int16_t *gh,
                                     int16_t *c, int16_t *next) {
    const __m256i i = logistic(load_sum(gx, gh));
    const __m256i f = logistic(load_sum(gx + STRIDE, gh + STRIDE));
    const __m256i candidate = load_sum(gx + 2 * STRIDE, gh + 2 * STRIDE);
    const __m256i o = logistic(load_sum(gx + 3 * STRIDE, gh + 3 * STRIDE));
    const __m256i g = hyperbolic(saturated(_mm256_slli_epi32(candidate, 2)));

    const __m256i kept = multiplied(f, load(c), 15);
    const __m256i added = multiplied(i, g, cell_exponent - 2 * UNIT_EXPONENT);
    const __m256i cell = saturated(_mm256_add_epi32(kept, added));
    store(c, cell);
    store(next, multiplied(o, hyperbolic(to_tanh(cell, cell_exponent)), 15));
}

RNN_EDGE_AVX2 static void gru_vectors(uint32_t count, const int16_t *gx, const int16_t *gh,
                                      const int16_t *h, int16_t *next) {
    for (uint32_t k = 0; k < count; k += AT_ONCE) {
        gru_eight(gx + k, gh + k, h + k, next + k);
    }
}

RNN_EDGE_AVX2 static void lstm_vectors(uint32_t count, int cell_exponent, const int16_t *gx,
                                       const int16_t *gh, int16_t *c, int16_t *next) {
    for (uint32_t k = 0; k < count; k += AT_ONCE) {
        lstm_eight(cell_exponent, gx + k, gh + k, c + k, next + k);
    }
}

uint32_t rnn_edge_gru_vectors(uint32_t count, const int16_t *gx, const int16_t *gh,
                              const int16_t *h, int16_t *next) {
    const uint32_t done = rnn_edge_has_avx2() ? count - count % AT_ONCE : 0U;
    if (done != 0) {
        gru_vectors(done, gx, gh, h, next);
    }
    return done;
}

uint32_t rnn_edge_lstm_vectors(uint32_t count, int cell_exponent, const int16_t *gx,
                               const int16_t *gh, int16_t *c, int16_t *next) {
    const uint32_t done = rnn_edge_has_avx2() ? count - count % AT_ONCE : 0U;
    if (done != 0) {
        lstm_vectors(done, cell_exponent, gx, gh, c, next);
    }
    return done;
}

#endif
