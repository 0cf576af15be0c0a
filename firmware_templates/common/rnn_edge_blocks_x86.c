/*
 * Products of blocks on x86-64.
 *
 * A block has the weights of columns 0 and 1 of four rows, then those of columns 2 and 3: once
 * widened to int16, a multiply-add by the pairs (x0, x1) and (x2, x3) gives two partial sums of
 * each row. Every x86-64 can do that (SSE2); AVX2 takes both pairs at once. SSE4.1 has the products
 * of 64 bits that results need.
 */
#include <string.h>

#include "rnn_edge_fixedpoint.h"
#include "rnn_edge_kernels.h"
#include "rnn_edge_x86.h"

#ifdef RNN_EDGE_X86

/* A group is four rows. */
enum { SIDE = 4, BLOCK_BYTES = SIDE * SIDE, PAIR = 2 * SIDE, MANY = 8 * SIDE };
_Static_assert(RNN_EDGE_UNITS_AT_ONCE == MANY, "as many rows as there are accumulators");

/* x in fours. */
typedef struct {
    const int16_t *x;
    size_t blocks;
    size_t whole;       /* blocks whose four are all there */
    int16_t tail[SIDE]; /* what is left of x, and zeros */
} fours;

static inline void take_fours(const int16_t *x, uint32_t columns, fours *these) {
    const uint32_t left = columns % SIDE;
    these->x = x;
    these->blocks = (columns + SIDE - 1U) / SIDE;
    these->whole = columns / SIDE;
    (void)memset(these->tail, 0, sizeof these->tail);
    for (uint32_t k = 0; k < left; ++k) {
        these->tail[k] = x[columns - left + k];
    }
}

static inline const int16_t *four_at(const fours *these, size_t k) {
    return k < these->whole ? these->x + SIDE * k : these->tail;
}

/* Rows one by one. */
static void single_results(const rnn_edge_matrix *matrix, uint32_t row, uint32_t count,
                           const int32_t *sums, int16_t *out) {
    for (uint32_t k = 0; k < count; ++k) {
        const int32_t sum = sums[k] + matrix->narrow_bias[row + k];
        out[k] = rnn_edge_narrow_result(sum, matrix->multipliers[row + k], matrix->narrow_shift);
    }
}

/* SSE2: rows 0..3 in the lanes of a vector. */

RNN_EDGE_INLINE __m128i sse2_load(const void *from) {
    return _mm_loadu_si128((const __m128i *)from);
}

RNN_EDGE_INLINE void sse2_store(void *to, __m128i values) {
    _mm_storeu_si128((__m128i *)to, values);
}

RNN_EDGE_INLINE __m128i sse2_block(__m128i sums, const uint8_t *weights, __m128i four) {
    const __m128i bytes = sse2_load(weights);
    const __m128i left = _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
    const __m128i right = _mm_srai_epi16(_mm_unpackhi_epi8(bytes, bytes), 8);
    return _mm_add_epi32(sums, _mm_add_epi32(_mm_madd_epi16(left, _mm_shuffle_epi32(four, 0x00)),
                                             _mm_madd_epi16(right, _mm_shuffle_epi32(four, 0x55))));
}

RNN_EDGE_INLINE __m128i sse2_four(const fours *these, size_t k) {
    return _mm_loadl_epi64((const __m128i *)(const void *)four_at(these, k));
}

/* Sums of a group. */
static void sse2_group(const uint8_t *weights, const fours *x, int32_t *sums) {
    __m128i a = _mm_setzero_si128();
    for (size_t k = 0; k < x->blocks; ++k) {
        a = sse2_block(a, weights + BLOCK_BYTES * k, sse2_four(x, k));
    }
    sse2_store(sums, a);
}

/* Sums of four groups. */
static void sse2_groups(const uint8_t *weights, const fours *x, int32_t *sums) {
    const size_t group = BLOCK_BYTES * x->blocks;
    __m128i a = _mm_setzero_si128();
    __m128i b = a;
    __m128i c = a;
    __m128i d = a;
    for (size_t k = 0; k < x->blocks; ++k) {
        const uint8_t *at = weights + BLOCK_BYTES * k;
        const __m128i four = sse2_four(x, k);
        a = sse2_block(a, at, four);
        b = sse2_block(b, at + group, four);
        c = sse2_block(c, at + 2 * group, four);
        d = sse2_block(d, at + 3 * group, four);
    }
    sse2_store(sums, a);
    sse2_store(sums + SIDE, b);
    sse2_store(sums + 2 * SIDE, c);
    sse2_store(sums + 3 * SIDE, d);
}

/* (sum * multiplier + 2^(shift - 1)) >> shift; of a product, shifted by 32 or more, the upper word
 * is all that is left. Lanes are multiplied by twos: 0, 2, .. and 1, 3, .. */
RNN_EDGE_SSE4 static inline __m128i sse4_scaled(const rnn_edge_matrix *matrix, uint32_t row,
                                                const int32_t *sums) {
    const __m128i half = _mm_set1_epi64x(1LL << (matrix->narrow_shift - 1U));
    const __m128i sum = _mm_add_epi32(sse2_load(sums), sse2_load(matrix->narrow_bias + row));
    const __m128i factor = sse2_load(matrix->multipliers + row);
    const __m128i even = _mm_mul_epi32(sum, factor);
    const __m128i odd = _mm_mul_epi32(_mm_srli_epi64(sum, 32), _mm_srli_epi64(factor, 32));
    const __m128i upper = _mm_blend_epi16(_mm_srli_epi64(_mm_add_epi64(even, half), 32),
                                          _mm_add_epi64(odd, half), 0xCC);
    return _mm_sra_epi32(upper, _mm_cvtsi32_si128(matrix->narrow_shift - 32));
}

RNN_EDGE_SSE4 static void sse4_results(const rnn_edge_matrix *matrix, uint32_t row, uint32_t count,
                                       const int32_t *sums, int16_t *out) {
    uint32_t k = 0;
    for (; k + PAIR <= count; k += PAIR) {
        const __m128i low = sse4_scaled(matrix, row + k, sums + k);
        const __m128i high = sse4_scaled(matrix, row + k + SIDE, sums + k + SIDE);
        sse2_store(out + k, _mm_packs_epi32(low, high));
    }
    single_results(matrix, row + k, count - k, sums + k, out + k);
}

static void sse_rows(const rnn_edge_matrix *matrix, uint32_t row, uint32_t count,
                     const uint8_t *weights, const fours *x, int16_t *out) {
    int32_t sums[MANY];
    uint32_t k = 0;
    for (; k + 4 * SIDE <= count; k += 4 * SIDE) {
        sse2_groups(weights + SIDE * x->blocks * k, x, sums + k);
    }
    for (; k < count; k += SIDE) {
        sse2_group(weights + SIDE * x->blocks * k, x, sums + k);
    }
    if (rnn_edge_has_sse4()) {
        sse4_results(matrix, row, count, sums, out);
    } else {
        single_results(matrix, row, count, sums, out);
    }
}

/* AVX2: columns 0 and 1 of rows 0..3 in the lower half of a vector, 2 and 3 in the upper half. */

RNN_EDGE_AVX2_INLINE __m256i avx2_block(__m256i sums, const uint8_t *weights, __m256i pairs) {
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)weights);
    return _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_cvtepi8_epi16(bytes), pairs));
}

RNN_EDGE_AVX2_INLINE __m256i avx2_pairs(const fours *these, size_t k) {
    long long four;
    (void)memcpy(&four, four_at(these, k), sizeof four);
    const __m256i order = _mm256_setr_epi32(0x03020100, 0x03020100, 0x03020100, 0x03020100,
                                            0x07060504, 0x07060504, 0x07060504, 0x07060504);
    return _mm256_shuffle_epi8(_mm256_set1_epi64x(four), order);
}

/* The sums of eight rows from the halves of two groups. */
RNN_EDGE_AVX2_INLINE __m256i avx2_joined(__m256i a, __m256i b) {
    return _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20),
                            _mm256_permute2x128_si256(a, b, 0x31));
}

RNN_EDGE_AVX2_INLINE __m256i avx2_load(const int32_t *from) {
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

/* As sse4_scaled, for eight rows. */
RNN_EDGE_AVX2_INLINE void avx2_scaled(__m256i sums, __m256i factor, unsigned shift, int16_t *out) {
    const __m256i half = _mm256_set1_epi64x(1LL << (shift - 1U));
    const __m256i even = _mm256_mul_epi32(sums, factor);
    const __m256i odd =
        _mm256_mul_epi32(_mm256_srli_epi64(sums, 32), _mm256_srli_epi64(factor, 32));
    const __m256i upper = _mm256_blend_epi32(_mm256_srli_epi64(_mm256_add_epi64(even, half), 32),
                                             _mm256_add_epi64(odd, half), 0xAA);
    const __m256i scaled = _mm256_sra_epi32(upper, _mm_cvtsi32_si128((int)shift - 32));
    const __m128i high = _mm256_extracti128_si256(scaled, 1);
    _mm_storeu_si128((__m128i *)(void *)out, _mm_packs_epi32(_mm256_castsi256_si128(scaled), high));
}

RNN_EDGE_AVX2_INLINE void avx2_results(const rnn_edge_matrix *matrix, uint32_t row, __m256i sums,
                                       int16_t *out) {
    const __m256i whole = _mm256_add_epi32(sums, avx2_load(matrix->narrow_bias + row));
    avx2_scaled(whole, avx2_load(matrix->multipliers + row), matrix->narrow_shift, out);
}

/* Of fewer than eight rows: what is behind the arrays' ends is not read. */
RNN_EDGE_AVX2_INLINE void avx2_last_results(const rnn_edge_matrix *matrix, uint32_t row,
                                            uint32_t count, __m256i sums, int16_t *out) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i taken = _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)count), lanes);
    const int *bias = (const int *)matrix->narrow_bias + row;
    const int *multipliers = (const int *)matrix->multipliers + row;
    const __m256i whole = _mm256_add_epi32(sums, _mm256_maskload_epi32(bias, taken));
    int16_t results[PAIR];
    avx2_scaled(whole, _mm256_maskload_epi32(multipliers, taken), matrix->narrow_shift, results);
    (void)memcpy(out, results, count * sizeof *out);
}

/* MANY rows. */
RNN_EDGE_AVX2_INLINE void avx2_many(const rnn_edge_matrix *matrix, uint32_t row,
                                    const uint8_t *weights, const fours *x, int16_t *out) {
    const size_t group = BLOCK_BYTES * x->blocks;
    __m256i a = _mm256_setzero_si256();
    __m256i b = a;
    __m256i c = a;
    __m256i d = a;
    __m256i e = a;
    __m256i f = a;
    __m256i g = a;
    __m256i h = a;
    for (size_t k = 0; k < x->blocks; ++k) {
        const uint8_t *at = weights + BLOCK_BYTES * k;
        const __m256i pairs = avx2_pairs(x, k);
        a = avx2_block(a, at, pairs);
        b = avx2_block(b, at + group, pairs);
        c = avx2_block(c, at + 2 * group, pairs);
        d = avx2_block(d, at + 3 * group, pairs);
        e = avx2_block(e, at + 4 * group, pairs);
        f = avx2_block(f, at + 5 * group, pairs);
        g = avx2_block(g, at + 6 * group, pairs);
        h = avx2_block(h, at + 7 * group, pairs);
    }
    avx2_results(matrix, row, avx2_joined(a, b), out);
    avx2_results(matrix, row + PAIR, avx2_joined(c, d), out + PAIR);
    avx2_results(matrix, row + 2 * PAIR, avx2_joined(e, f), out + 2 * PAIR);
    avx2_results(matrix, row + 3 * PAIR, avx2_joined(g, h), out + 3 * PAIR);
}

/* Sums of two groups; of one, if that is the last. */
RNN_EDGE_AVX2_INLINE __m256i avx2_pair(const uint8_t *weights, const fours *x, bool is_one) {
    const size_t group = is_one ? 0U : BLOCK_BYTES * x->blocks;
    __m256i a = _mm256_setzero_si256();
    __m256i b = a;
    for (size_t k = 0; k < x->blocks; ++k) {
        const uint8_t *at = weights + BLOCK_BYTES * k;
        const __m256i pairs = avx2_pairs(x, k);
        a = avx2_block(a, at, pairs);
        b = avx2_block(b, at + group, pairs);
    }
    return avx2_joined(a, b);
}

RNN_EDGE_AVX2 static void avx2_rows(const rnn_edge_matrix *matrix, uint32_t row, uint32_t count,
                                    const uint8_t *weights, const fours *x, int16_t *out) {
    if (count == MANY) {
        avx2_many(matrix, row, weights, x, out);
        return;
    }
    uint32_t k = 0;
    for (; k + PAIR <= count; k += PAIR) {
        avx2_results(matrix, row + k, avx2_pair(weights + SIDE * x->blocks * k, x, false), out + k);
    }
    if (k < count) {
        const __m256i sums = avx2_pair(weights + SIDE * x->blocks * k, x, count - k <= SIDE);
        avx2_last_results(matrix, row + k, count - k, sums, out + k);
    }
}

void rnn_edge_blocks_narrow(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t first,
                            uint32_t count, const int16_t *x, int16_t *out) {
    fours these;
    take_fours(x, matrix->columns, &these);
    const size_t group = (size_t)gate * ((matrix->rows + SIDE - 1U) / SIDE) + first / SIDE;
    const uint8_t *weights = (const uint8_t *)matrix->weights + group * BLOCK_BYTES * these.blocks;
    const uint32_t row = gate * matrix->rows + first;
    if (rnn_edge_has_avx2()) {
        avx2_rows(matrix, row, count, weights, &these, out);
    } else {
        sse_rows(matrix, row, count, weights, &these, out);
    }
}

#endif
