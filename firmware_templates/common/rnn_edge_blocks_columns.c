/*
 * Products where a processor multiplies one pair of numbers at a time: Cortex-M3, and RV32. Eight
 * rows are done together, so that each input is loaded once for all of them, and their weights lie
 * by columns, so that two pointers reach them all.
 */
#include "rnn_edge_kernels.h"

#if defined(RNN_EDGE_COLUMNS)

#include "rnn_edge_fixedpoint.h"

enum { SIDE = 4, ROWS = 2 * SIDE };

/*
 * The sums of two strips of four rows.
 *
 * upper, lower  the first column of each strip
 * x             [columns], the inputs
 * fours         where less than four of them are left
 * end           where none is
 * sums          [8]
 */
#if defined(__thumb2__)

/* Adds a column of four rows: r0 or r1 the weights, r12 one of them, lr the input. */
#define ADD_FOUR(weights, a, b, c, d)                                                              \
    "ldrsb r12, [" weights "], #1\n\t"                                                             \
    "mla " a ", r12, lr, " a "\n\t"                                                                \
    "ldrsb r12, [" weights "], #1\n\t"                                                             \
    "mla " b ", r12, lr, " b "\n\t"                                                                \
    "ldrsb r12, [" weights "], #1\n\t"                                                             \
    "mla " c ", r12, lr, " c "\n\t"                                                                \
    "ldrsb r12, [" weights "], #1\n\t"                                                             \
    "mla " d ", r12, lr, " d "\n\t"
#define ADD_COLUMN                                                                                 \
    "ldrsh lr, [r2], #2\n\t" ADD_FOUR("r0", "r4", "r5", "r6", "r7")                                \
        ADD_FOUR("r1", "r8", "r9", "r10", "r11")

/* The compiler sees no use of what the function is given: it must pass it all the same. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
__attribute__((naked, noinline, used)) static void add_strips(const int8_t *upper,
                                                              const int8_t *lower, const int16_t *x,
                                                              const int16_t *fours,
                                                              const int16_t *end, int32_t *sums) {
    __asm__ volatile("push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"
                     "movs r4, #0\n\t"
                     "movs r5, #0\n\t"
                     "movs r6, #0\n\t"
                     "movs r7, #0\n\t"
                     "mov r8, r4\n\t"
                     "mov r9, r4\n\t"
                     "mov r10, r4\n\t"
                     "mov r11, r4\n\t"
                     "cmp r2, r3\n\t"
                     "beq 2f\n"
                     "1:\n\t" ADD_COLUMN ADD_COLUMN ADD_COLUMN ADD_COLUMN "cmp r2, r3\n\t"
                     "bne 1b\n"
                     "2:\n\t"
                     "ldr r3, [sp, #36]\n\t"
                     "b 4f\n"
                     "3:\n\t" ADD_COLUMN "4:\n\t"
                     "cmp r2, r3\n\t"
                     "bne 3b\n\t"
                     "ldr r12, [sp, #40]\n\t"
                     "stm r12, {r4, r5, r6, r7, r8, r9, r10, r11}\n\t"
                     "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}\n\t");
}
#pragma GCC diagnostic pop

#else

/* Adds column k. Compilers like to load the weights of all columns first, for which there are not
 * enough registers: nothing is loaded across the empty assembly. */
#define ADD_COLUMN(k)                                                                              \
    do {                                                                                           \
        const int32_t value = x[k];                                                                \
        s0 += upper[SIDE * (k)] * value;                                                           \
        s1 += upper[SIDE * (k) + 1] * value;                                                       \
        s2 += upper[SIDE * (k) + 2] * value;                                                       \
        s3 += upper[SIDE * (k) + 3] * value;                                                       \
        s4 += lower[SIDE * (k)] * value;                                                           \
        s5 += lower[SIDE * (k) + 1] * value;                                                       \
        s6 += lower[SIDE * (k) + 2] * value;                                                       \
        s7 += lower[SIDE * (k) + 3] * value;                                                       \
        __asm__ volatile("" ::: "memory");                                                         \
    } while (0)

static void add_strips(const int8_t *upper, const int8_t *lower, const int16_t *x,
                       const int16_t *fours, const int16_t *end, int32_t *sums) {
    int32_t s0 = 0;
    int32_t s1 = 0;
    int32_t s2 = 0;
    int32_t s3 = 0;
    int32_t s4 = 0;
    int32_t s5 = 0;
    int32_t s6 = 0;
    int32_t s7 = 0;
    while (x != fours) {
        ADD_COLUMN(0);
        ADD_COLUMN(1);
        ADD_COLUMN(2);
        ADD_COLUMN(3);
        x += SIDE;
        upper += SIDE * SIDE;
        lower += SIDE * SIDE;
    }
    while (x != end) {
        ADD_COLUMN(0);
        x += 1;
        upper += SIDE;
        lower += SIDE;
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
    sums[4] = s4;
    sums[5] = s5;
    sums[6] = s6;
    sums[7] = s7;
}

#endif

void rnn_edge_blocks_narrow(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t first,
                            uint32_t count, const int16_t *x, int16_t *out) {
    const uint32_t columns = matrix->columns;
    const uint32_t strip = (columns + (SIDE - 1U)) / SIDE * (SIDE * SIDE);
    const uint32_t strips = gate * ((matrix->rows + (SIDE - 1U)) / SIDE) + first / SIDE;
    const int8_t *upper = (const int8_t *)matrix->weights + (size_t)strips * strip;
    /* Where four rows or fewer are left, they are done twice. */
    const int8_t *lower = count > SIDE ? upper + strip : upper;
    int32_t sums[ROWS];
    add_strips(upper, lower, x, x + columns / SIDE * SIDE, x + columns, sums);
    const uint32_t row = gate * matrix->rows + first;
    const int32_t *bias = matrix->narrow_bias + row;
    const int32_t *multipliers = matrix->multipliers + row;
    const unsigned shift = matrix->narrow_shift;
    for (uint32_t k = 0; k < count; ++k) {
        out[k] = rnn_edge_narrow_result(sums[k] + bias[k], multipliers[k], shift);
    }
}

#endif
