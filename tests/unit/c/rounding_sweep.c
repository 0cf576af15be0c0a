/*
 * Compares the shifts of the kernel library with the definition, pair by pair.
 *
 *   rounding_sweep product BITS FIRST LAST
 *       every product of two int16 there can be, and every integer between: FIRST..LAST
 *   rounding_sweep sum A B OUT SIGN FIRST LAST
 *       a + SIGN * b at the scales 2^A and 2^B, result at 2^OUT: a FIRST..LAST, every b
 *
 * Prints how many were compared, or the first difference and ends with 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rnn_edge_fixedpoint.h"
#include "rounding_definition.h"

#define BLOCK 4096

static int differ(long long a, long long b, int found, int wanted) {
    printf("at %lld, %lld: %d, defined is %d\n", a, b, found, wanted);
    return 1;
}

/* A product by the kernel, in both of its forms, which have to agree, and as it is defined. */
static inline int16_t divided(int32_t product, unsigned bits, int16_t wanted) {
    const int16_t twice = rnn_edge_saturate32(rnn_edge_divide_twice(product, bits));
    const int16_t once = rnn_edge_saturate32(rnn_edge_divide_product(product, bits));
    return once == wanted ? twice : once;
}

static int sweep_products(unsigned bits, int64_t first, int64_t last) {
    const factor f = factor_of(ldexp(1.0, -(int)bits));
    for (int64_t begin = first; begin <= last; begin += BLOCK) {
        const int count = (int)(last - begin < BLOCK ? last - begin + 1 : BLOCK);
        int differing = 0;
        /* Without a way out, so that the compiler can do several at once. */
        for (int k = 0; k < count; ++k) {
            const int32_t product = (int32_t)begin + k;
            const int16_t wanted = clamp16(rescale(product, f));
            differing |= divided(product, bits, wanted) ^ wanted;
        }
        for (int k = 0; differing != 0 && k < count; ++k) {
            const int32_t product = (int32_t)begin + k;
            const int16_t wanted = clamp16(rescale(product, f));
            const int16_t found = divided(product, bits, wanted);
            if (found != wanted) {
                return differ(product, 1, found, wanted);
            }
        }
    }
    printf("%lld\n", (long long)(last - first + 1));
    return 0;
}

/* What the cells do for a sum: align exactly, add, and divide or multiply once. */
static int16_t shifted_sum(int32_t total, int up, unsigned down) {
    return rnn_edge_saturate32(up > 0 ? total * (1 << up) : rnn_edge_divide_away(total, down));
}

static int sweep_sums(int a_exponent, int b_exponent, int out_exponent, int sign, int first,
                      int last) {
    static int32_t defined[65536];
    static int32_t aligned[65536];
    const sum_factors f = sum_factors_of(a_exponent, b_exponent, out_exponent);
    const int finest = a_exponent < b_exponent ? a_exponent : b_exponent;
    const int up = finest > out_exponent ? finest - out_exponent : 0;
    const unsigned down = (unsigned)(finest > out_exponent ? 0 : out_exponent - finest);
    for (int b = -32768; b <= 32767; ++b) {
        defined[b + 32768] = sign * sum_operand((int16_t)b, f.b);
        aligned[b + 32768] = sign * b * (1 << (b_exponent - finest));
    }
    for (int a = first; a <= last; ++a) {
        const int32_t defined_a = sum_operand((int16_t)a, f.a);
        const int32_t aligned_a = a * (1 << (a_exponent - finest));
        int differing = 0;
        for (int k = 0; k < 65536; ++k) {
            const int16_t wanted = sum_result(defined_a + defined[k], f.out);
            differing |= shifted_sum(aligned_a + aligned[k], up, down) ^ wanted;
        }
        for (int k = 0; differing != 0 && k < 65536; ++k) {
            const int16_t wanted = sum_result(defined_a + defined[k], f.out);
            const int16_t found = shifted_sum(aligned_a + aligned[k], up, down);
            if (found != wanted) {
                return differ(a, k - 32768, found, wanted);
            }
        }
    }
    printf("%lld\n", (long long)(last - first + 1) * 65536);
    return 0;
}

int main(int argc, char **argv) {
    long long number[6] = {0};
    for (int k = 2; k < argc && k < 8; ++k) {
        number[k - 2] = strtoll(argv[k], NULL, 10);
    }
    if (argc == 5 && strcmp(argv[1], "product") == 0) {
        return sweep_products((unsigned)number[0], number[1], number[2]);
    }
    if (argc == 8 && strcmp(argv[1], "sum") == 0) {
        return sweep_sums((int)number[0], (int)number[1], (int)number[2], (int)number[3],
                          (int)number[4], (int)number[5]);
    }
    fprintf(stderr,
            "usage: rounding_sweep product BITS FIRST LAST | sum A B OUT SIGN FIRST LAST\n");
    return 2;
}
