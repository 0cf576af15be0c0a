/*
 * Which instructions the kernels may use. Every form gives the same bits.
 *
 * -DRNN_EDGE_PORTABLE leaves all of them out.
 */
#ifndef RNN_EDGE_TARGET_H
#define RNN_EDGE_TARGET_H

#include "rnn_edge_choices.h"

#if defined(__BYTE_ORDER__) && defined(__ORDER_LITTLE_ENDIAN__)
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !defined(RNN_EDGE_PORTABLE)
/* The integer vectors of Armv8.1-M: Cortex-M55, M85. Its loops take all registers, of which
 * compilers that do not optimise keep some. */
#if defined(__ARM_FEATURE_MVE) && defined(__GNUC__) && defined(__OPTIMIZE__)
#define RNN_EDGE_MVE 1
/* The vectors of AArch64 and of Armv7-A. */
#elif defined(__ARM_NEON)
#define RNN_EDGE_NEON 1
/* And products of int8 by fours: Cortex-A76. */
#if defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
#define RNN_EDGE_DOT 1
#endif
/* Two int16 in a register: Cortex-M4, M7, M33 with DSP, and Armv6. */
#elif defined(__ARM_FEATURE_SIMD32)
#define RNN_EDGE_DSP 1
/* Cortex-M0, M0+, M23: Thumb with eight registers at hand and no product of 64 bits; that of
 * processors before Armv6 lacks instructions. */
#elif defined(__thumb__) && !defined(__thumb2__) && __ARM_ARCH >= 6
#define RNN_EDGE_V6M 1
/* Cortex-M3, M33 without DSP, and RV32: a product at a time. */
#elif defined(__thumb2__) || (defined(__riscv) && __riscv_xlen == 32)
#define RNN_EDGE_COLUMNS 1
#elif defined(__x86_64__) && defined(__GNUC__)
#define RNN_EDGE_X86 1
#endif
#endif
#endif

/* x86-64: 0 has no extension, 1 at most SSE4.1, 2 at most AVX2; which one runs is asked there. */
#if defined(RNN_EDGE_X86) && !defined(RNN_EDGE_X86_LEVEL)
#if defined(_WIN64) && !defined(__clang__)
/* gcc does not align vectors of 32 bytes on the stack of Windows. */
#define RNN_EDGE_X86_LEVEL 1
#else
#define RNN_EDGE_X86_LEVEL 2
#endif
#endif

/* Whether weights lie in blocks of 4 rows by 4 columns; rnn_edge_packing.h says how. */
#if defined(RNN_EDGE_COLUMNS) || defined(RNN_EDGE_DSP) || defined(RNN_EDGE_NEON) ||                \
    defined(RNN_EDGE_V6M) || defined(RNN_EDGE_X86)
#define RNN_EDGE_HAS_BLOCKS 1
#else
#define RNN_EDGE_HAS_BLOCKS 0
#endif

/* Whether rnn_edge_gru_vectors and rnn_edge_lstm_vectors may do some of the units. */
#if defined(RNN_EDGE_X86) && RNN_EDGE_X86_LEVEL >= 2
#define RNN_EDGE_HAS_VECTORS 1
#else
#define RNN_EDGE_HAS_VECTORS 0
#endif

/* Whether the gates of a GRU and of an LSTM are vectors, in a file of the target's own. */
#if defined(RNN_EDGE_DSP) || defined(RNN_EDGE_MVE) || defined(RNN_EDGE_NEON)
#define RNN_EDGE_HAS_UNITS 1
#else
#define RNN_EDGE_HAS_UNITS 0
#endif

/* Whether weights that were widened to int16 are of use; where they are not, the others serve. */
#ifndef RNN_EDGE_HAS_WORDS
#if defined(RNN_EDGE_COLUMNS) || defined(RNN_EDGE_MVE) || defined(RNN_EDGE_NEON) ||                \
    defined(RNN_EDGE_V6M) || defined(RNN_EDGE_X86)
#define RNN_EDGE_HAS_WORDS 0
#else
#define RNN_EDGE_HAS_WORDS 1
#endif
#endif

/* Whether a target's own file has rnn_edge_gates. */
#if defined(RNN_EDGE_V6M)
#define RNN_EDGE_HAS_GATES 1
#else
#define RNN_EDGE_HAS_GATES 0
#endif

/* So many units are stepped together; a multiple of 4. */
#if defined(RNN_EDGE_NEON) || defined(RNN_EDGE_X86)
#define RNN_EDGE_UNITS_AT_ONCE 32
#elif defined(RNN_EDGE_MVE)
#define RNN_EDGE_UNITS_AT_ONCE 16
#elif defined(RNN_EDGE_DSP)
#define RNN_EDGE_UNITS_AT_ONCE 16
#else
#define RNN_EDGE_UNITS_AT_ONCE 8
#endif

#endif
