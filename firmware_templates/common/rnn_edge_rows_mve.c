/*
 * Weights row by row, with the vectors of Armv8.1-M: Cortex-M55, M85.
 *
 * Eight weights are widened as they are loaded and multiplied by as many x at once, for four rows
 * that share the load of x.
 */
#include "rnn_edge_kernels.h"

#if defined(RNN_EDGE_MVE)

enum { ROWS = 4, LANES = 8 };

/* The sums of four rows that follow each other; returns where the next one is. The loop ends with
 * as many lanes as there are columns left, and pointers that are `beyond` too far. */
static inline const int8_t *four_sums(const int8_t *weights, uint32_t columns, const int16_t *x,
                                      uint32_t beyond, int32_t *sums) {
    const int8_t *row1;
    const int8_t *row2;
    const int8_t *row3;
    int32_t sum0;
    int32_t sum1;
    int32_t sum2;
    int32_t sum3;
    __asm__ volatile("add %[row1], %[row0], %[columns]\n"
                     "add %[row2], %[row1], %[columns]\n"
                     "add %[row3], %[row2], %[columns]\n"
                     "mov %[sum0], #0\n"
                     "mov %[sum1], #0\n"
                     "mov %[sum2], #0\n"
                     "mov %[sum3], #0\n"
                     "dlstp.16 lr, %[columns]\n"
                     "1:\n"
                     "vldrh.u16 q0, [%[x]], #16\n"
                     "vldrb.s16 q1, [%[row0]], #8\n"
                     "vmladava.s16 %[sum0], q0, q1\n"
                     "vldrb.s16 q2, [%[row1]], #8\n"
                     "vmladava.s16 %[sum1], q0, q2\n"
                     "vldrb.s16 q1, [%[row2]], #8\n"
                     "vmladava.s16 %[sum2], q0, q1\n"
                     "vldrb.s16 q2, [%[row3]], #8\n"
                     "vmladava.s16 %[sum3], q0, q2\n"
                     "letp lr, 1b\n"
                     "strd %[sum0], %[sum1], [%[sums]]\n"
                     "strd %[sum2], %[sum3], [%[sums], #8]\n"
                     "sub %[row0], %[row3], %[beyond]\n"
                     : [x] "+r"(x), [row0] "+l"(weights), [row1] "=&l"(row1), [row2] "=&l"(row2),
                       [row3] "=&l"(row3), [sum0] "=&Te"(sum0), [sum1] "=&Te"(sum1),
                       [sum2] "=&Te"(sum2), [sum3] "=&Te"(sum3)
                     : [columns] "r"(columns), [beyond] "r"(beyond), [sums] "r"(sums)
                     : "q0", "q1", "q2", "lr", "memory");
    return weights;
}

static inline int32_t one_sum(const int8_t *weights, uint32_t columns, const int16_t *x) {
    int32_t sum = 0;
    __asm__ volatile("dlstp.16 lr, %[columns]\n"
                     "1:\n"
                     "vldrh.u16 q0, [%[x]], #16\n"
                     "vldrb.s16 q1, [%[row]], #8\n"
                     "vmladava.s16 %[sum], q0, q1\n"
                     "letp lr, 1b\n"
                     : [x] "+r"(x), [row] "+l"(weights), [sum] "+Te"(sum)
                     : [columns] "r"(columns)
                     : "q0", "q1", "lr", "memory");
    return sum;
}

/*
 * The results of sums without their biases. With S = shift,
 *
 *   (sum * multiplier + 2^(S - 1)) >> S == (((sum * multiplier) >> 31) + 2^(S - 32)) >> (S - 31)
 *
 * as 2^(S - 1) is a multiple of 2^31; the doubling product that keeps its upper half is the first
 * shift, and the rounding one the rest.
 */
static inline void finish(const int32_t *sums, const int32_t *bias, const int32_t *multipliers,
                          uint32_t shift, uint32_t count, int16_t *out) {
    const int32_t rest = 31 - (int32_t)shift;
    __asm__ volatile(
        "dlstp.32 lr, %[count]\n"
        "1:\n"
        "vldrw.u32 q0, [%[sums]], #16\n"
        "vldrw.u32 q1, [%[bias]], #16\n"
        "vadd.i32 q0, q0, q1\n"
        "vldrw.u32 q1, [%[multipliers]], #16\n"
        "vqdmulh.s32 q0, q0, q1\n"
        "vrshl.s32 q0, %[rest]\n"
        "vqmovnb.s32 q0, q0\n"
        "vstrh.32 q0, [%[out]], #8\n"
        "letp lr, 1b\n"
        : [sums] "+r"(sums), [bias] "+r"(bias), [multipliers] "+r"(multipliers), [out] "+l"(out)
        : [rest] "r"(rest), [count] "r"(count)
        : "q0", "q1", "lr", "memory");
}

void rnn_edge_rows_narrow(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t first,
                          uint32_t count, const int16_t *x, int16_t *out) {
    int32_t sums[RNN_EDGE_UNITS_AT_ONCE];
    const uint32_t columns = matrix->columns;
    const uint32_t row = gate * matrix->rows + first;
    const int8_t *weights = (const int8_t *)matrix->weights + row * columns;
    uint32_t k = 0;
    for (; k + ROWS <= count; k += ROWS) {
        weights = four_sums(weights, columns, x, (0U - columns) % LANES, sums + k);
    }
    for (; k < count; ++k) {
        sums[k] = one_sum(weights, columns, x);
        weights += columns;
    }
    finish(sums, matrix->narrow_bias + row, matrix->multipliers + row, matrix->narrow_shift, count,
           out);
}

#endif
