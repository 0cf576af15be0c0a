/*
 * Products with blocks of weights by the instructions that multiply and add two int16 at once.
 *
 * A lane holds a column of two rows, 256 * b + (a + 128). With the lanes as they are, the sum over
 * the columns is 256 * S_b + S_a + 128 * X, X the sum of x. The upper bytes alone give S_b, as a
 * lower byte without a sign takes nothing from them. So two products of two lanes and one
 * extraction are four multiply-adds of weights that take a byte each. X is the same for all rows.
 *
 * Sums may pass 2^31 on the way: they are modulo 2^32, and what they come to is proved to fit.
 */
#include "rnn_edge_rows_dsp.h"

#if defined(RNN_EDGE_DSP)

/* Sums of rows: r0 and r2 with lanes as they are, r1 and r3 of the upper bytes. */
#define RNN_EDGE_TWO_COLUMNS(low, high, x)                                                         \
    "smlad r0," low "," x ",r0\n"                                                                  \
    "smlad r2," high "," x ",r2\n"                                                                 \
    "sxtb16 " low "," low ",ror #8\n"                                                              \
    "sxtb16 " high "," high ",ror #8\n"                                                            \
    "smlad r1," low "," x ",r1\n"                                                                  \
    "smlad r3," high "," x ",r3\n"

/* Inputs at a multiple of 4: 14 instructions of 4 bytes. */
#define RNN_EDGE_ONE_BLOCK                                                                         \
    "ldmia lr!,{r4,r5,r6,r8}\n"                                                                    \
    "ldmia r9!,{r10,r12}\n" RNN_EDGE_TWO_COLUMNS("r4", "r5", "r10")                                \
        RNN_EDGE_TWO_COLUMNS("r6", "r8", "r12")
enum { BLOCK_CODE = 14 * 4, BLOCK_BYTES = 16 };

/* Inputs at any even address. */
#define RNN_EDGE_ANY_BLOCK                                                                         \
    "ldmia lr!,{r4,r5,r6,r8}\n"                                                                    \
    "ldr r10,[r9],#4\n" RNN_EDGE_TWO_COLUMNS(                                                      \
        "r4", "r5", "r10") "ldr r10,[r9],#4\n" RNN_EDGE_TWO_COLUMNS("r6", "r8", "r10")

/* The sums begin with the bias and without 128 * X. */
#define RNN_EDGE_BEGIN                                                                             \
    "sub r0,r0,r4\n"                                                                               \
    "sub r2,r2,r4\n"                                                                               \
    "add r0,r0,r1,lsl #8\n"                                                                        \
    "add r2,r2,r3,lsl #8\n"

#define RNN_EDGE_SEPARATE                                                                          \
    "sub r0,r0,r1,lsl #8\n"                                                                        \
    "sub r2,r2,r3,lsl #8\n"

static __attribute__((noinline)) void multiply_blocks(rnn_edge_rows *work) {
    register rnn_edge_rows *const at __asm__(RNN_EDGE_ROWS_REGISTER) = work;
    __asm__ volatile(RNN_EDGE_ROWS_BEGIN RNN_EDGE_BEGIN RNN_EDGE_ROWS_LOOP(RNN_EDGE_ONE_BLOCK)
                         RNN_EDGE_SEPARATE RNN_EDGE_ROWS_END RNN_EDGE_ROWS_ANY_LOOP(
                             RNN_EDGE_ANY_BLOCK, RNN_EDGE_ONE_BLOCK)
                             RNN_EDGE_SEPARATE RNN_EDGE_ROWS_ANY_END
                     :
                     : [at] "r"(at)
                     : RNN_EDGE_ROWS_CHANGED);
}

#define RNN_EDGE_ADD_EIGHT                                                                         \
    "smlad %[sum],r4,%[weight],%[sum]\n"                                                           \
    "smlad %[sum],r5,%[weight],%[sum]\n"                                                           \
    "smlad %[sum],r6,%[weight],%[sum]\n"                                                           \
    "smlad %[sum],r8,%[weight],%[sum]\n"                                                           \
    "cmp %[x],%[end]\n"

/* 128 * the sum of x [count]. */
static uint32_t weighted_sum(const int16_t *x, uint32_t count) {
    const uint32_t weight = (128U << 16) + 128U;
    const int16_t *end = x + count;
    uint32_t sum = 0;
    if (count >= 8U) {
        __asm__("tst %[x],#2\n"
                "bne 1f\n"
                "0: ldmia %[x]!,{r4,r5,r6,r8}\n" RNN_EDGE_ADD_EIGHT "bne 0b\n"
                "b 2f\n"
                "1: ldr r4,[%[x]],#4\n"
                "ldr r5,[%[x]],#4\n"
                "ldr r6,[%[x]],#4\n"
                "ldr r8,[%[x]],#4\n" RNN_EDGE_ADD_EIGHT "bne 1b\n"
                "2:"
                : [x] "+&r"(x), [sum] "+&r"(sum)
                : [weight] "r"(weight), [end] "r"(x + (count & ~7U))
                : "r4", "r5", "r6", "r8", "cc", "memory");
    }
    for (; x != end; ++x) {
        sum += (uint32_t)*x * 128U;
    }
    return sum;
}

void rnn_edge_blocks_gates(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t gates,
                           uint32_t first, uint32_t count, const int16_t *x, int16_t *out) {
    rnn_edge_rows_of_gates(matrix, gate, gates, first, count, x, out, BLOCK_BYTES, BLOCK_CODE,
                           weighted_sum(x, matrix->columns), multiply_blocks);
}

void rnn_edge_blocks_narrow(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t first,
                            uint32_t count, const int16_t *x, int16_t *out) {
    rnn_edge_blocks_gates(matrix, gate, 1, first, count, x, out);
}

#endif
