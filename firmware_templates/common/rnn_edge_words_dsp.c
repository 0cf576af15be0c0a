/*
 * Products with weights widened to int16: what rnn_edge_words.c says, two columns at once.
 */
#include "rnn_edge_rows_dsp.h"

#if defined(RNN_EDGE_DSP) && RNN_EDGE_HAS_WORDS

#define RNN_EDGE_TWO_COLUMNS(x)                                                                    \
    "smlad r0,r4," x ",r0\n"                                                                       \
    "smlad r1,r5," x ",r1\n"                                                                       \
    "smlad r2,r6," x ",r2\n"                                                                       \
    "smlad r3,r8," x ",r3\n"

/* Inputs at a multiple of 4: 11 instructions of 4 bytes. */
#define RNN_EDGE_ONE_BLOCK                                                                         \
    "ldmia lr!,{r4,r5,r6,r8}\n"                                                                    \
    "ldmia r9!,{r10,r12}\n" RNN_EDGE_TWO_COLUMNS(                                                  \
        "r10") "ldmia lr!,{r4,r5,r6,r8}\n" RNN_EDGE_TWO_COLUMNS("r12")
enum { BLOCK_CODE = 11 * 4, BLOCK_BYTES = 32 };

/* Inputs at any even address. */
#define RNN_EDGE_ANY_BLOCK                                                                         \
    "ldmia lr!,{r4,r5,r6,r8}\n"                                                                    \
    "ldr r10,[r9],#4\n" RNN_EDGE_TWO_COLUMNS("r10") "ldmia lr!,{r4,r5,r6,r8}\n"                    \
                                                    "ldr r10,[r9],#4\n" RNN_EDGE_TWO_COLUMNS(      \
                                                        "r10")

static __attribute__((noinline)) void multiply_words(rnn_edge_rows *work) {
    register rnn_edge_rows *const at __asm__(RNN_EDGE_ROWS_REGISTER) = work;
    __asm__ volatile(RNN_EDGE_ROWS_BEGIN RNN_EDGE_ROWS_LOOP(RNN_EDGE_ONE_BLOCK)
                         RNN_EDGE_ROWS_END RNN_EDGE_ROWS_ANY_LOOP(
                             RNN_EDGE_ANY_BLOCK, RNN_EDGE_ONE_BLOCK) RNN_EDGE_ROWS_ANY_END
                     :
                     : [at] "r"(at)
                     : RNN_EDGE_ROWS_CHANGED);
}

void rnn_edge_words_narrow(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t first,
                           uint32_t count, const int16_t *x, int16_t *out) {
    rnn_edge_rows_of_gates(matrix, gate, 1, first, count, x, out, BLOCK_BYTES, BLOCK_CODE, 0,
                           multiply_words);
}

#endif
