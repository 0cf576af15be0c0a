/*
 * Products on Cortex-M0 and M0+: blocks of weights whose columns are words of four bytes.
 *
 * A word holds u3 u2 u1 u0, the weights of four rows plus 128. Multiplied by x as it is, and after
 * shifts by 8, 16 and 24 bits, it adds to four sums modulo 2^32
 *
 *   r0 = s0 + 2^8 r1    r1 = s1 + 2^8 r2    r2 = s2 + 2^8 s3    r3 = s3
 *
 * with s the sums of u * x. No byte is ever taken out by itself, and what is left above it takes
 * three shifts less to load than four bytes. That the generator has proved the sums of weight * x
 * to fit an int32_t makes them exact.
 */
#include "rnn_edge_kernels.h"

#if defined(RNN_EDGE_V6M)

#include "rnn_edge_fixedpoint.h"

enum { SIDE = 4, BLOCK = SIDE * SIDE, MOST_GATES = 4, UNITS = RNN_EDGE_UNITS_AT_ONCE };

/* So many inputs are widened at a time, a word each on the stack: what takes two turns or more
 * costs some 30 instructions for each strip of four rows and turn. */
#ifdef RNN_EDGE_FAST
enum { CHUNK = 64 };
#else
enum { CHUNK = 40 };
#endif

/* The compiler sees no use of what these functions are given: it must pass it all the same. */
#define IN_ASSEMBLY __attribute__((naked, noinline, used))
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* Widens inputs to words, a multiple of four and not none. Returns their sum. */
IN_ASSEMBLY static int32_t widen_fours(const int16_t *x, const int16_t *end, int32_t *wide) {
    __asm__ volatile(".syntax unified\n\t"
                     "push {r4, r5, r6, r7, lr}\n\t"
                     "mov r12, r1\n\t"
                     "movs r3, #0\n\t"
                     "movs r4, #2\n\t"
                     "movs r7, #0\n"
                     "1:\n\t"
                     "ldrsh r5, [r0, r3]\n\t"
                     "ldrsh r6, [r0, r4]\n\t"
                     "adds r0, #4\n\t"
                     "adds r7, r5\n\t"
                     "adds r7, r6\n\t"
                     "stmia r2!, {r5, r6}\n\t"
                     "ldrsh r5, [r0, r3]\n\t"
                     "ldrsh r6, [r0, r4]\n\t"
                     "adds r0, #4\n\t"
                     "adds r7, r5\n\t"
                     "adds r7, r6\n\t"
                     "stmia r2!, {r5, r6}\n\t"
                     "cmp r0, r12\n\t"
                     "bne 1b\n\t"
                     "movs r0, r7\n\t"
                     "pop {r4, r5, r6, r7, pc}\n\t");
}

/* Adds a column of four rows: r2 or r3 the word, r4 or r5 the input, r8 to r11 the sums. */
#define TIMES(word, x)                                                                             \
    "lsrs r6, " word ", #8\n\t"                                                                    \
    "muls r6, " x ", r6\n\t"                                                                       \
    "add r9, r6\n\t"                                                                               \
    "lsrs r6, " word ", #16\n\t"                                                                   \
    "muls r6, " x ", r6\n\t"                                                                       \
    "add r10, r6\n\t"                                                                              \
    "lsrs r6, " word ", #24\n\t"                                                                   \
    "muls r6, " x ", r6\n\t"                                                                       \
    "add r11, r6\n\t"                                                                              \
    "muls " word ", " x ", " word "\n\t"                                                           \
    "add r8, " word "\n\t"
#define TWO_COLUMNS                                                                                \
    "ldmia r0!, {r2, r3}\n\t"                                                                      \
    "ldmia r1!, {r4, r5}\n\t" TIMES("r2", "r4") TIMES("r3", "r5")

/*
 * Adds the products of some strips of four rows to their sums.
 *
 * weights  the first block of the first strip
 * x, end   the inputs, a multiple of four and not none
 * sums     [strips][4], to last_sums
 * skip     bytes from where the blocks of these inputs end to where the next strip's begin
 */
IN_ASSEMBLY static void add_strips(const uint8_t *weights, const int32_t *x, const int32_t *end,
                                   int32_t *sums, const int32_t *last_sums, uint32_t skip) {
    __asm__ volatile(".syntax unified\n\t"
                     "push {r4, r5, r6, r7, lr}\n\t"
                     "mov r4, r8\n\t"
                     "mov r5, r9\n\t"
                     "mov r6, r10\n\t"
                     "mov r7, r11\n\t"
                     "push {r1, r4, r5, r6, r7}\n\t"
                     "mov r12, r2\n\t"
                     "mov r7, r3\n"
                     /* A strip. */
                     "1:\n\t"
                     "ldr r1, [sp, #0]\n\t"
                     "movs r2, #0\n\t"
                     "mov r8, r2\n\t"
                     "mov r9, r2\n\t"
                     "mov r10, r2\n\t"
                     "mov r11, r2\n"
                     /* A block. */
                     "2:\n\t" TWO_COLUMNS TWO_COLUMNS "cmp r1, r12\n\t"
                     "bne 2b\n\t"
                     /* What the shifted words have too many. */
                     "ldmia r7!, {r3, r4, r5, r6}\n\t"
                     "subs r7, #16\n\t"
                     "mov r1, r8\n\t"
                     "adds r3, r1\n\t"
                     "mov r1, r9\n\t"
                     "adds r4, r1\n\t"
                     "lsls r1, r1, #8\n\t"
                     "subs r3, r1\n\t"
                     "mov r1, r10\n\t"
                     "adds r5, r1\n\t"
                     "lsls r1, r1, #8\n\t"
                     "subs r4, r1\n\t"
                     "mov r1, r11\n\t"
                     "adds r6, r1\n\t"
                     "lsls r1, r1, #8\n\t"
                     "subs r5, r1\n\t"
                     "stmia r7!, {r3, r4, r5, r6}\n\t"
                     "ldr r1, [sp, #44]\n\t"
                     "adds r0, r1\n\t"
                     "ldr r1, [sp, #40]\n\t"
                     "cmp r7, r1\n\t"
                     "bne 1b\n\t"
                     "pop {r1, r4, r5, r6, r7}\n\t"
                     "mov r8, r4\n\t"
                     "mov r9, r5\n\t"
                     "mov r10, r6\n\t"
                     "mov r11, r7\n\t"
                     "pop {r4, r5, r6, r7, pc}\n\t");
}

/*
 * rnn_edge_narrow_result of sum + extra for some rows. The upper word of a product comes from four
 * products of halves. Twice the multiplier moves the half that rounding adds into that word, so
 * that nothing below it counts: (upper + half) >> bits with bits = shift - 31, half = 2^(bits - 1).
 *
 * out, end  not none
 */
IN_ASSEMBLY static void results(const int32_t *sums, const int32_t *multipliers, int16_t *out,
                                const int16_t *end, int32_t extra, int32_t half, uint32_t bits) {
    __asm__ volatile(".syntax unified\n\t"
                     "push {r4, r5, r6, r7, lr}\n\t"
                     "mov r4, r8\n\t"
                     "mov r5, r9\n\t"
                     "mov r6, r10\n\t"
                     "mov r7, r11\n\t"
                     "push {r4, r5, r6, r7}\n\t"
                     "mov r11, r3\n\t"
                     "ldr r3, [sp, #36]\n\t"
                     "mov r8, r3\n\t"
                     "ldr r3, [sp, #40]\n\t"
                     "mov r9, r3\n\t"
                     "ldr r3, [sp, #44]\n\t"
                     "mov r10, r3\n"
                     "1:\n\t"
                     "ldmia r0!, {r3}\n\t"
                     "add r3, r8\n\t"
                     "ldmia r1!, {r5}\n\t"
                     "lsls r5, r5, #1\n\t"
                     /* a in r3 and r4, b in r6 and r5. */
                     "uxth r4, r3\n\t"
                     "asrs r3, r3, #16\n\t"
                     "lsrs r6, r5, #16\n\t"
                     "uxth r5, r5\n\t"
                     "movs r7, r4\n\t"
                     "muls r7, r5, r7\n\t"
                     "lsrs r7, r7, #16\n\t"
                     "muls r5, r3, r5\n\t"
                     "adds r7, r5\n\t"
                     "muls r4, r6, r4\n\t"
                     "muls r6, r3, r6\n\t"
                     "uxth r3, r7\n\t"
                     "adds r4, r3\n\t"
                     "lsrs r4, r4, #16\n\t"
                     "asrs r7, r7, #16\n\t"
                     "adds r4, r7\n\t"
                     "adds r4, r6\n\t"
                     /* Rounded and saturated. */
                     "add r4, r9\n\t"
                     "mov r3, r10\n\t"
                     "asrs r4, r3\n\t"
                     "sxth r3, r4\n\t"
                     "cmp r3, r4\n\t"
                     "bne 3f\n"
                     "2:\n\t"
                     "strh r4, [r2]\n\t"
                     "adds r2, #2\n\t"
                     "cmp r2, r11\n\t"
                     "bne 1b\n\t"
                     "pop {r4, r5, r6, r7}\n\t"
                     "mov r8, r4\n\t"
                     "mov r9, r5\n\t"
                     "mov r10, r6\n\t"
                     "mov r11, r7\n\t"
                     "pop {r4, r5, r6, r7, pc}\n"
                     "3:\n\t"
                     "asrs r3, r4, #31\n\t"
                     "movs r4, #1\n\t"
                     "lsls r4, r4, #15\n\t"
                     "subs r4, #1\n\t"
                     "eors r4, r3\n\t"
                     "b 2b\n\t");
}

#pragma GCC diagnostic pop

/* Widens inputs to words, with zeros up to a multiple of four. Returns their sum. */
static int32_t widen(const int16_t *x, uint32_t count, int32_t *wide) {
    const uint32_t whole = count / SIDE * SIDE;
    int32_t sum = whole > 0U ? widen_fours(x, x + whole, wide) : 0;
    for (uint32_t k = whole; k < count || k % SIDE != 0U; ++k) {
        wide[k] = k < count ? x[k] : 0;
        sum += wide[k];
    }
    return sum;
}

static void products(const rnn_edge_matrix *matrix, uint32_t first_gate, uint32_t gates,
                     uint32_t first, uint32_t count, const int16_t *x, int16_t *out) {
    const uint32_t strip = (matrix->columns + (SIDE - 1U)) / SIDE * BLOCK;
    const uint32_t strips = (matrix->rows + (SIDE - 1U)) / SIDE;
    const uint32_t padded = (count + (SIDE - 1U)) / SIDE * SIDE;
    const uint32_t row = first_gate * matrix->rows + first;
    const uint8_t *weights =
        (const uint8_t *)matrix->weights + (first_gate * strips + first / SIDE) * strip;
    int32_t sums[MOST_GATES * UNITS];
    int32_t wide[CHUNK];
    int32_t total = 0;
    for (uint32_t gate = 0; gate < gates; ++gate) {
        const int32_t *bias = matrix->narrow_bias + row + gate * matrix->rows;
        const int32_t *end = bias + count;
        int32_t *to = sums + UNITS * gate;
        do {
            *to++ = *bias++;
        } while (bias != end);
    }
    for (uint32_t at = 0; at < matrix->columns; at += CHUNK) {
        const uint32_t left = matrix->columns - at;
        const uint32_t size = left < CHUNK ? left : CHUNK;
        const uint32_t blocks = (size + (SIDE - 1U)) / SIDE;
        total += widen(x + at, size, wide);
        for (uint32_t gate = 0; gate < gates; ++gate) {
            int32_t *from = sums + UNITS * gate;
            add_strips(weights + gate * strips * strip, wide, wide + SIDE * blocks, from,
                       from + padded, strip - BLOCK * blocks);
        }
        weights += BLOCK * blocks;
    }
    const uint32_t bits = matrix->narrow_shift - 31U;
    for (uint32_t gate = 0; gate < gates; ++gate) {
        int16_t *from = out + UNITS * gate;
        results(sums + UNITS * gate, matrix->multipliers + row + gate * matrix->rows, from,
                from + count, -128 * total, (int32_t)1 << (bits - 1U), bits);
    }
}

void rnn_edge_blocks_narrow(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t first,
                            uint32_t count, const int16_t *x, int16_t *out) {
    products(matrix, gate, 1, first, count, x, out);
}

void rnn_edge_gates(const rnn_edge_matrix *matrix, uint32_t first_gate, uint32_t gates,
                    uint32_t first, uint32_t count, const int16_t *x, int16_t *out) {
    if (matrix->product == rnn_edge_blocks_narrow) {
        products(matrix, first_gate, gates, first, count, x, out);
        return;
    }
    for (uint32_t gate = 0; gate < gates; ++gate) {
        matrix->product(matrix, first_gate + gate, first, count, x, out + UNITS * gate);
    }
}

#endif
