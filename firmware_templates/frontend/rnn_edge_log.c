/*
 * Logarithms of integers: the place of the leading one, and a table for what follows it.
 */
#include "rnn_edge_frontend.h"
#include "rnn_edge_frontend_product.h"

enum { FRACTION_BITS = 10, TABLE_SHIFT = 13 };

/* (1 - ln 2) * 2^16, rounded. */
#define ONE_MINUS_LN2 INT16_C(20110)

/* Whether the processor counts zeros itself; elsewhere the compiler would call its library, which
   an image need not have. */
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__) ||                                   \
    (defined(__riscv) && !defined(__riscv_zbb))
#define COUNTS_ZEROS 0
#elif defined(__GNUC__)
#define COUNTS_ZEROS 1
#else
#define COUNTS_ZEROS 0
#endif

/* Zeros before the leading one of a positive value. */
static inline unsigned leading_zeros(uint32_t value) {
#if COUNTS_ZEROS
    return (unsigned)__builtin_clz(value);
#else
    unsigned zeros = 0;
    for (unsigned bits = 16; bits > 0U; bits /= 2U) {
        if (value >> (32U - bits) == 0U) {
            value <<= bits;
            zeros += bits;
        }
    }
    return zeros;
#endif
}

int32_t rnn_edge_frontend_log(uint64_t energy, int32_t offset) {
    /* By how much log2(1 + k / 64) exceeds k / 64, scale 2^-19. */
    static const uint16_t BEND[65] = {
        0,     3535,  6891,  10074, 13088, 15938, 18630, 21167, 23554, 25795, 27894, 29855, 31681,
        33377, 34945, 36389, 37711, 38915, 40004, 40981, 41847, 42607, 43261, 43814, 44266, 44621,
        44881, 45047, 45121, 45106, 45004, 44816, 44545, 44191, 43757, 43244, 42654, 41988, 41249,
        40436, 39552, 38598, 37576, 36486, 35330, 34110, 32826, 31479, 30070, 28602, 27074, 25488,
        23845, 22146, 20391, 18582, 16720, 14805, 12838, 10821, 8754,  6637,  4472,  2260,  0,
    };
    uint32_t upper = (uint32_t)(energy >> 32);
    uint32_t lower = (uint32_t)energy;
    int32_t place = 63;
    if (upper == 0U) {
        upper = lower;
        lower = 0;
        place = 31;
    }
    const unsigned zeros = leading_zeros(upper);
    place -= (int32_t)zeros;
    /* The leading one goes to bit 31; the 16 bits below it are the fraction. */
    const uint32_t aligned = zeros == 0U ? upper : upper << zeros | lower >> (32U - zeros);
    const uint32_t fraction = (aligned >> 15) & 0xFFFFU;
    const uint32_t index = fraction >> FRACTION_BITS;
    const int32_t rest = (int32_t)(fraction & ((1U << FRACTION_BITS) - 1U));
    const int32_t start = BEND[index];
    const int32_t rise = BEND[index + 1U] - start;
    const int32_t bend = rnn_edge_floor_shift32(
        start * (1 << FRACTION_BITS) + rise * rest + (1 << (TABLE_SHIFT - 1)), TABLE_SHIFT);
    const int32_t log2 = place * 65536 + (int32_t)fraction + bend + offset;
    return log2 - rnn_edge_product(log2, ONE_MINUS_LN2);
}
