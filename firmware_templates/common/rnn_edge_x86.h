/*
 * What the x86-64 processor that runs this has: asked when it runs, unless the compiler knows.
 */
#ifndef RNN_EDGE_X86_H
#define RNN_EDGE_X86_H

#include "rnn_edge_target.h"

#ifdef RNN_EDGE_X86

#include <immintrin.h>
#include <stdbool.h>

/* Compiles a function for an extension; only such a function can be inlined into another one. */
#define RNN_EDGE_SSE4 __attribute__((target("sse4.1")))
#define RNN_EDGE_AVX2 __attribute__((target("avx2")))

/* A vector that is handed over in memory is a slow one. */
#define RNN_EDGE_INLINE static inline __attribute__((always_inline))
#define RNN_EDGE_AVX2_INLINE RNN_EDGE_AVX2 RNN_EDGE_INLINE

/* The runtime library of the compiler has asked the processor before main. */
static inline bool rnn_edge_has_sse4(void) {
#if RNN_EDGE_X86_LEVEL < 1
    return false;
#elif defined(__SSE4_1__)
    return true;
#else
    return __builtin_cpu_supports("sse4.1") != 0;
#endif
}

static inline bool rnn_edge_has_avx2(void) {
#if RNN_EDGE_X86_LEVEL < 2
    return false;
#elif defined(__AVX2__)
    return true;
#else
    return __builtin_cpu_supports("avx2") != 0;
#endif
}

#endif

#endif
