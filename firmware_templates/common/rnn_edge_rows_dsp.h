/*
 * What products by the instructions of rnn_edge_dsp.h have in common, whatever their weights are:
 * rows by fours, inputs at any even address, any number of columns and any shift, but without a
 * detour where inputs lie at a multiple of 4, columns are a multiple of 4 and the shift is 32.
 */
#ifndef RNN_EDGE_ROWS_DSP_H
#define RNN_EDGE_ROWS_DSP_H

#include "rnn_edge_dsp.h"
#include "rnn_edge_kernels.h"

#if defined(RNN_EDGE_DSP)

#define RNN_EDGE_ROWS 4U

/* What the code below knows of its work; it reads and writes it by these offsets. */
typedef struct {
    uint32_t sum_128;           /* 0: 128 * the sum of x, for blocks */
    const int32_t *bias;        /* 4: of the next row */
    const int16_t *x;           /* 8 */
    uint32_t entry;             /* 12: bytes of code to leave out of the unrolled loop; see below */
    const int32_t *multipliers; /* 16: of the next row */
    int16_t *out;               /* 20: of the next row */
    const int16_t *x_end;       /* 24: after the last four columns */
    const int16_t *out_end;     /* 28: a multiple of four rows after out */
    const int16_t *tail;        /* 32: the columns after x_end, padded with zeros; or NULL */
    uint32_t shift;             /* 36: what is left of it after 32 */
    const uint8_t *weights;     /* 40: of the next row */
} rnn_edge_rows;

_Static_assert(sizeof(rnn_edge_rows) == 44, "the offsets in the code are of other members");

/* The register of the work is none that compilers keep a frame in. */
#if defined(__thumb__)
#define RNN_EDGE_ROWS_REGISTER "r11"
/* The code after a jump by r12 begins where the processor takes pc to be, with a branch to what
 * does any work. */
#define RNN_EDGE_ROWS_ENTER "add pc,r12\nnop\nb.w 4f\n"
#define RNN_EDGE_ROWS_LOAD "ldrd r10,r12,[%[at],#16]\n"
#define RNN_EDGE_ROWS_STORE "strd r10,r12,[%[at],#16]\n"
#else
#define RNN_EDGE_ROWS_REGISTER "r7"
#define RNN_EDGE_ROWS_ENTER "add pc,pc,r12\nnop\nb 4f\n"
#define RNN_EDGE_ROWS_LOAD "ldr r10,[%[at],#16]\nldr r12,[%[at],#20]\n"
#define RNN_EDGE_ROWS_STORE "str r10,[%[at],#16]\nstr r12,[%[at],#20]\n"
#endif

#if defined(__OPTIMIZE_SIZE__) && !defined(RNN_EDGE_FAST)
#define RNN_EDGE_UNROLLED 2U
#define RNN_EDGE_UNROLL(block) block block
#else
#define RNN_EDGE_UNROLLED 8U
#define RNN_EDGE_UNROLL(block) block block block block block block block block
#endif

/* The weights of the next block at lr, its inputs at r9, sums in r0 to r3. */
#define RNN_EDGE_ROWS_BEGIN                                                                        \
    "ldr lr,[%[at],#40]\n"                                                                         \
    "0: ldmia %[at],{r4,r5,r9,r12}\n"                                                              \
    "ldmia r5!,{r0,r1,r2,r3}\n"                                                                    \
    "str r5,[%[at],#4]\n"

#define RNN_EDGE_ROWS_LOOP(block)                                                                  \
    RNN_EDGE_ROWS_ENTER "1:\n" RNN_EDGE_UNROLL(block) "ldr r4,[%[at],#24]\n"                       \
                                                      "cmp r9,r4\n"                                \
                                                      "bne 1b\n"

/* With a shift of 32. */
#define RNN_EDGE_ROWS_END                                                                          \
    RNN_EDGE_ROWS_LOAD "ldmia r10!,{r4,r5,r6,r8}\n"                                                \
                       "smmulr r0,r0,r4\n"                                                         \
                       "smmulr r1,r1,r5\n"                                                         \
                       "smmulr r2,r2,r6\n"                                                         \
                       "smmulr r3,r3,r8\n"                                                         \
                       "2: ssat r0,#16,r0\n"                                                       \
                       "ssat r1,#16,r1\n"                                                          \
                       "ssat r2,#16,r2\n"                                                          \
                       "ssat r3,#16,r3\n"                                                          \
                       "strh r0,[r12],#2\n"                                                        \
                       "strh r1,[r12],#2\n"                                                        \
                       "strh r2,[r12],#2\n"                                                        \
                       "strh r3,[r12],#2\n" RNN_EDGE_ROWS_STORE "ldr r4,[%[at],#28]\n"             \
                       "cmp r12,r4\n"                                                              \
                       "bne 0b\n"                                                                  \
                       "b 6f\n"

/* Each block by itself, which leaves r12 alone, then what is left of the columns. */
#define RNN_EDGE_ROWS_ANY_LOOP(any_block, block)                                                   \
    "3:\n" any_block "7: cmp r9,r12\n"                                                             \
    "bne 3b\n"                                                                                     \
    "ldr r9,[%[at],#32]\n"                                                                         \
    "cmp r9,#0\n"                                                                                  \
    "beq 5f\n" block "b 5f\n"                                                                      \
    "4: ldr r12,[%[at],#24]\n"                                                                     \
    "b 7b\n"                                                                                       \
    "5:\n"

#define RNN_EDGE_ROWS_ANY_ROW(row, multiplier)                                                     \
    "smull " multiplier "," row "," row "," multiplier "\n"                                        \
    "adds " multiplier "," multiplier ",r9\n"                                                      \
    "adc " row "," row ",r10\n"                                                                    \
    "asr " row "," row ",r12\n"

/* With any shift, in 64 bits; r9 and r10 are half of 2^(32 + shift). */
#define RNN_EDGE_ROWS_ANY_END                                                                      \
    "ldr r10,[%[at],#16]\n"                                                                        \
    "ldmia r10!,{r4,r5,r6,r8}\n"                                                                   \
    "str r10,[%[at],#16]\n"                                                                        \
    "ldr r12,[%[at],#36]\n"                                                                        \
    "mov r9,#0x80000000\n"                                                                         \
    "lsl r9,r9,r12\n"                                                                              \
    "mov r10,#1\n"                                                                                 \
    "lsl r10,r10,r12\n"                                                                            \
    "lsr r10,r10,#1\n" RNN_EDGE_ROWS_ANY_ROW("r0", "r4") RNN_EDGE_ROWS_ANY_ROW("r1", "r5")         \
        RNN_EDGE_ROWS_ANY_ROW("r2", "r6") RNN_EDGE_ROWS_ANY_ROW("r3", "r8") RNN_EDGE_ROWS_LOAD     \
        "b 2b\n"                                                                                   \
        "6:"

#define RNN_EDGE_ROWS_CHANGED                                                                      \
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "cc", "memory"

/* Goes on from work->out to work->out_end. */
typedef void rnn_edge_rows_code(rnn_edge_rows *work);

/* The rows after the last four: what belongs to them has no padding. */
static inline __attribute__((always_inline)) void
rnn_edge_last_rows(rnn_edge_rows *work, uint32_t count, rnn_edge_rows_code *code) {
    union {
        int32_t bias[RNN_EDGE_ROWS];
        int16_t result[RNN_EDGE_ROWS]; /* stored when the bias is of no more use */
    } rows = {{0}};
    int32_t multipliers[RNN_EDGE_ROWS] = {0};
    int16_t *out = work->out;
    for (uint32_t k = 0; k < count; ++k) {
        rows.bias[k] = work->bias[k];
        multipliers[k] = work->multipliers[k];
    }
    work->bias = rows.bias;
    work->multipliers = multipliers;
    work->out = rows.result;
    work->out_end = rows.result + RNN_EDGE_ROWS;
    code(work);
    for (uint32_t k = 0; k < count; ++k) {
        out[k] = rows.result[k];
    }
}

/*
 * rnn_edge_gates by a code for four rows each.
 *
 * block_bytes  of weights
 * block_code   bytes of its instructions
 * sum_128      for work
 */
static inline __attribute__((always_inline)) void
rnn_edge_rows_of_gates(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t gates, uint32_t first,
                       uint32_t count, const int16_t *x, int16_t *out, uint32_t block_bytes,
                       uint32_t block_code, uint32_t sum_128, rnn_edge_rows_code *code) {
    _Alignas(4) int16_t tail[RNN_EDGE_ROWS] = {0};
    const uint32_t whole = matrix->columns / 4U;
    const uint32_t rest = matrix->columns % 4U;
    const uint32_t shift = (uint32_t)matrix->narrow_shift - 32U;
    rnn_edge_rows work;
    work.sum_128 = sum_128;
    work.x = x;
    work.x_end = x + 4U * whole;
    /* A number of blocks that is no multiple of the loop's is done in its first turn. */
    work.entry = 4U + ((0U - whole) % RNN_EDGE_UNROLLED) * block_code;
    work.tail = NULL;
    uint32_t row_bytes = block_bytes * whole;
    if ((((uintptr_t)x & 3U) | rest | shift) != 0U) {
        work.entry = 0;
        work.shift = shift;
        if (rest != 0U) {
            for (uint32_t k = 0; k < rest; ++k) {
                tail[k] = work.x_end[k];
            }
            work.tail = tail;
            row_bytes += block_bytes;
        }
    }
    const uint32_t gate_bytes = row_bytes * ((matrix->rows + (RNN_EDGE_ROWS - 1U)) / RNN_EDGE_ROWS);
    const uint8_t *weights =
        (const uint8_t *)matrix->weights + gate * gate_bytes + (first / RNN_EDGE_ROWS) * row_bytes;
    const uint32_t rows = matrix->rows;
    const uint32_t whole_rows = count & ~(RNN_EDGE_ROWS - 1U);
    const int32_t *bias = matrix->narrow_bias + gate * rows + first;
    const int32_t *multipliers = matrix->multipliers + gate * rows + first;
    do {
        work.bias = bias;
        work.multipliers = multipliers;
        work.weights = weights;
        work.out = out;
        work.out_end = out + whole_rows;
        if (whole_rows != 0U) {
            code(&work);
        }
        if (whole_rows != count) {
            work.weights = weights + (whole_rows / RNN_EDGE_ROWS) * row_bytes;
            rnn_edge_last_rows(&work, count - whole_rows, code);
        }
        weights += gate_bytes;
        bias += rows;
        multipliers += rows;
        out += RNN_EDGE_UNITS_AT_ONCE;
        --gates;
    } while (gates != 0U);
}

#endif

#endif
