/*
 * The exponential function, the logistic function and tanh in single precision.
 *
 * Made of additions, products, quotients and shifts alone, each rounded as IEEE 754 says, so that
 * a loop over them is vectorised and has the same bits at every width of vector: the functions of
 * a C library have neither. A value that is not a number stays one.
 *
 * With exact arithmetic as the measure, logistic and tanh are off by less than 2^-22.
 */
#ifndef RNN_EDGE_FLOAT_ACTIVATION_H
#define RNN_EDGE_FLOAT_ACTIVATION_H

#include <float.h>
#include <stdint.h>
#include <string.h>

/* Sums that are kept wider than float, as the x87 does, would be other sums. */
_Static_assert(FLT_EVAL_METHOD == 0, "float has to be computed as float");

/* exp(x) - 1 and exp(x) are 2^n * (1 + p) less 1, and 2^n * (1 + p), with p = exp(r) - 1. */
typedef struct {
    float power; /* 2^n */
    float p;     /* exp(x - n * ln 2) - 1 */
} rnn_edge_float_parts;

/*
 * Splits exp(x); x of -87 to 87, and not a number, gives parts that are as good as float is.
 * x is brought into that range by the caller.
 */
static inline rnn_edge_float_parts rnn_edge_float_exp_parts(float x) {
    /* Adding 1.5 * 2^23 rounds to an integer, which then stands in the lowest bits. */
    const float rounder = 12582912.0F;
    const float shifted = x * 1.44269504F + rounder;
    const float n = shifted - rounder;
    /* ln 2 in two parts: the product of the first with |n| < 2^8 is exact. */
    const float r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
    /* The series of exp to r^7; |r| <= ln 2 / 2, so that the rest is below 2^-27. */
    float series = 1.0F / 5040.0F;
    series = series * r + 1.0F / 720.0F;
    series = series * r + 1.0F / 120.0F;
    series = series * r + 1.0F / 24.0F;
    series = series * r + 1.0F / 6.0F;
    series = series * r + 0.5F;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + 0x3F800000U;
    rnn_edge_float_parts parts;
    memcpy(&parts.power, &bits, sizeof bits);
    parts.p = series * (r * r) + r;
    return parts;
}

/* x within -87 to 87, where 2^n and exp(x) are normal numbers; what is not a number stays. */
static inline float rnn_edge_float_within(float x) {
    const float below = 87.0F < x ? 87.0F : x;
    return -87.0F > below ? -87.0F : below;
}

static inline float rnn_edge_float_exp(float x) {
    const rnn_edge_float_parts parts = rnn_edge_float_exp_parts(rnn_edge_float_within(x));
    return parts.power * parts.p + parts.power;
}

/* 1 / (1 + exp(-x)) */
static inline float rnn_edge_float_logistic(float x) {
    return 1.0F / (1.0F + rnn_edge_float_exp(-x));
}

/* (exp(2 x) - 1) / (exp(2 x) + 1), from exp(2 x) - 1: as good near zero as elsewhere. */
static inline float rnn_edge_float_tanh(float x) {
    const rnn_edge_float_parts parts = rnn_edge_float_exp_parts(rnn_edge_float_within(2.0F * x));
    const float less_one = parts.power * parts.p + (parts.power - 1.0F);
    return less_one / (less_one + 2.0F);
}

#endif
