/*
 * Runs the products and the gates of whichever form this is compiled as over sums, states and
 * matrices that it makes by itself, and prints a line with a digest for each part: two forms agree
 * where their lines do.
 *
 * With SWEEP_BARE it is a program for a microcontroller under an emulator, see form_sweep_start.c.
 */
#include "form_sweep.h"

#include <stddef.h>
#include <string.h>

#include "rnn_edge_activation.h"
#include "rnn_edge_kernels.h"
#include "rnn_edge_packing.h"

enum {
    AT_ONCE = RNN_EDGE_UNITS_AT_ONCE,
    GATES = 4,
    SIDE = 4,
    ROWS_MOST = 71,
    COLUMNS_MOST = 72,
    MARK = 0x5A5A
};

static uint32_t digest;
static uint64_t dice;

static void digest_of(const int16_t *values, uint32_t count) {
    for (uint32_t k = 0; k < count; ++k) {
        digest = (digest ^ (uint16_t)values[k]) * 16777619U;
    }
}

static uint32_t random_bits(void) {
    dice = dice * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(dice >> 32);
}

static int16_t random_value(void) {
    static const int16_t ENDS[] = {-32768, -32767, -1, 0, 1, 32766, 32767, 16384};
    const uint32_t bits = random_bits();
    return bits % 8U == 0U ? ENDS[(bits >> 8) % 8U] : (int16_t)(bits >> 16);
}

/* Two values with a sum of -65536..65534. */
static void parts_of(int32_t total, int16_t *left, int16_t *right) {
    const int32_t low = total - 32767 > -32768 ? total - 32767 : -32768;
    const int32_t high = total + 32768 < 32767 ? total + 32768 : 32767;
    const int32_t part = low + (int32_t)(random_bits() % (uint32_t)(high - low + 1));
    *left = (int16_t)part;
    *right = (int16_t)(total - part);
}

/* Units are made one by one, as forms step more or fewer of them together. */
static int16_t gx[GATES * AT_ONCE];
static int16_t gh[GATES * AT_ONCE];
static int16_t before[AT_ONCE + 1];
static int16_t after[AT_ONCE + 1];
static uint64_t groups;

static void set(uint32_t gate, uint32_t unit, int16_t left, int16_t right) {
    gx[gate * AT_ONCE + unit] = left;
    gh[gate * AT_ONCE + unit] = right;
}

static void roll(uint32_t gates, uint32_t swept, int32_t total, uint32_t unit) {
    for (uint32_t gate = 0; gate < gates; ++gate) {
        const int32_t any = (int32_t)(random_bits() % 131071U) - 65536;
        int16_t left;
        int16_t right;
        parts_of(gate == swept ? total : any, &left, &right);
        set(gate, unit, left, right);
    }
    before[unit] = random_value();
}

/* How many of the units that are left go together: mostly all that can. */
static uint32_t some_units(int32_t left) {
    groups = groups * 6364136223846793005U + 1442695040888963407U;
    const uint32_t bits = (uint32_t)(groups >> 32);
    const uint32_t some = bits % 4U == 0U ? 1U + (bits >> 8) % AT_ONCE : AT_ONCE;
    const uint32_t count = (uint32_t)left < some ? (uint32_t)left : some;
    before[count] = MARK;
    after[count] = MARK;
    return count;
}

static void take(uint32_t count) {
    for (uint32_t k = 0; k < count; ++k) {
        digest_of(before + k, 1);
        digest_of(after + k, 1);
    }
    if (before[count] != MARK || after[count] != MARK) {
        sweep_line("written beyond the units", 0);
    }
}

enum { FIRST = -65536, END = 65535 };

static void gru(uint32_t swept) {
    for (int32_t total = FIRST; total < END;) {
        const uint32_t count = some_units(END - total);
        for (uint32_t k = 0; k < count; ++k, ++total) {
            roll(3, swept, total, k);
            if (swept == 2) {
                /* What is left is the candidate. */
                set(0, k, 32767, 32767);
                set(1, k, -32768, -32768);
            }
        }
        rnn_edge_gru_units(count, gx, gh, before, after);
        take(count);
    }
}

/* Products r * gh whose rounding is a matter of one. */
static void ties(uint32_t wanted) {
    for (int32_t x = -32768; x < 32768;) {
        const uint32_t count = some_units(32768 - x);
        for (uint32_t k = 0; k < count; ++k, ++x) {
            const int32_t r = rnn_edge_logistic((int16_t)x);
            /* Newton's steps to 1 / r modulo 2^16, where r is odd. */
            uint32_t inverse = (uint32_t)r;
            for (unsigned step = 0; step < 4U; ++step) {
                inverse *= 2U - (uint32_t)r * inverse;
            }
            const int16_t value = (int16_t)(uint16_t)(inverse * wanted);
            const int32_t near = (int32_t)(random_bits() % 5U) - (int32_t)value * r / 32768;
            roll(3, 0, x, k);
            set(0, k, (int16_t)x, 0);
            set(1, k, -32768, -32768);
            set(2, k, (int16_t)near, value);
        }
        rnn_edge_gru_units(count, gx, gh, before, after);
        take(count);
    }
}

static void lstm(int cell_exponent) {
    for (int32_t total = FIRST; total < END;) {
        const uint32_t count = some_units(END - total);
        for (uint32_t k = 0; k < count; ++k, ++total) {
            roll(4, random_bits() % 4U, total, k);
            before[k] = (int16_t)(uint16_t)total;
            if (total >= 0) {
                /* What is left is tanh of the state. */
                set(0, k, -32768, -32768);
                set(1, k, 32767, 32767);
                set(3, k, 32767, 32767);
            }
        }
        rnn_edge_lstm_units(count, cell_exponent, gx, gh, before, after);
        take(count);
    }
}

static int8_t weights[2U * ROWS_MOST * COLUMNS_MOST];
static int32_t multipliers[2U * ROWS_MOST];
static int32_t bias[2U * ROWS_MOST];
static int16_t frame[COLUMNS_MOST + 1];
#if RNN_EDGE_HAS_BLOCKS
static _Alignas(
    RNN_EDGE_BLOCK_ALIGNMENT) uint8_t blocks[2U * (ROWS_MOST + SIDE) * (COLUMNS_MOST + SIDE)];

static int32_t weight(uint32_t gate, uint32_t row, uint32_t rows, uint32_t column,
                      uint32_t columns) {
    if (row >= rows || column >= columns) {
        return 0;
    }
    return weights[(gate * rows + row) * columns + column];
}

static void pack(uint32_t rows, uint32_t columns) {
    uint8_t *to = blocks;
    for (uint32_t gate = 0; gate < 2U; ++gate) {
        for (uint32_t row = 0; row < rows; row += SIDE) {
            for (uint32_t column = 0; column < columns; column += SIDE) {
#define AT(R, C) (int)weight(gate, row + (R), rows, column + (C), columns)
                const uint8_t block[SIDE * SIDE] = {
                    RNN_EDGE_BLOCK(AT(0, 0), AT(0, 1), AT(0, 2), AT(0, 3), AT(1, 0), AT(1, 1),
                                   AT(1, 2), AT(1, 3), AT(2, 0), AT(2, 1), AT(2, 2), AT(2, 3),
                                   AT(3, 0), AT(3, 1), AT(3, 2), AT(3, 3))};
#undef AT
                memcpy(to, block, sizeof block);
                to += sizeof block;
            }
        }
    }
}
#endif

static void products(uint32_t rows, uint32_t columns, unsigned kind) {
    const uint32_t all = 2U * rows;
    for (uint32_t k = 0; k < COLUMNS_MOST + 1U; ++k) {
        frame[k] = kind == 1U ? -32768 : random_value();
    }
    for (uint32_t row = 0; row < all; ++row) {
        const int8_t end = random_bits() % 2U == 0U ? -127 : 127;
        for (uint32_t column = 0; column < columns; ++column) {
            const int8_t any = (int8_t)((int32_t)(random_bits() % 255U) - 127);
            weights[row * columns + column] = kind == 1U ? end : any;
        }
        /* What the narrow form leaves to the bias. */
        const uint32_t spare = (uint32_t)INT32_MAX - columns * 127U * 32768U;
        bias[row] = (int32_t)(random_bits() % spare) * (random_bits() % 2U == 0U ? 1 : -1);
        bias[row] = kind == 2U ? bias[row] % 100 : bias[row];
        multipliers[row] = (int32_t)(random_bits() >> 1U) + 1;
        multipliers[row] = kind == 2U ? 1 << (26U + random_bits() % 5U) : multipliers[row];
    }
    rnn_edge_matrix matrix;
    memset(&matrix, 0, sizeof matrix);
    matrix.multipliers = multipliers;
    matrix.narrow_bias = bias;
    matrix.rows = rows;
    matrix.columns = columns;
    matrix.narrow_shift = (uint8_t)(32U + random_bits() % 15U);
#if RNN_EDGE_HAS_BLOCKS
    pack(rows, columns);
    matrix.weights = blocks;
    matrix.product = rnn_edge_blocks_narrow;
#else
    matrix.weights = weights;
    matrix.product = rnn_edge_rows_narrow;
#endif
    for (uint32_t gate = 0; gate < 2U; ++gate) {
        for (uint32_t first = 0; first < rows; first += AT_ONCE) {
            const uint32_t count = rnn_edge_units_from(first, rows);
            after[count] = MARK;
            /* No more alignment than that of an int16. */
            matrix.product(&matrix, gate, first, count, frame + 1, after);
            /* Blocks of units have other sizes in other forms. */
            digest_of(after, count);
            if (after[count] != MARK) {
                sweep_line("a product wrote beyond its rows", 0);
            }
        }
    }
}

static void all_products(unsigned kind) {
    static const uint8_t ROWS[] = {1, 2, 3, 4, 5, 7, 8, 11, 12, 16, 31, 32, 33, 64, 71};
    static const uint8_t COLUMNS[] = {1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 40, 65, 72};
    for (uint32_t r = 0; r < sizeof ROWS; ++r) {
        for (uint32_t c = 0; c < sizeof COLUMNS; ++c) {
            products(ROWS[r], COLUMNS[c], kind);
        }
    }
}

static void start(uint64_t seed) {
    digest = 2166136261U;
    dice = seed;
    groups = seed;
}

void sweep(void) {
    for (unsigned kind = 0; kind < 3U; ++kind) {
        start(kind);
        all_products(kind);
        sweep_line("products", digest);
    }
    for (uint32_t swept = 0; swept < 3U; ++swept) {
        start(swept + 10U);
        gru(swept);
        sweep_line("gru", digest);
    }
    static const uint32_t TIES[] = {0x3FFF, 0x4000, 0xBFFF, 0xC000};
    for (uint32_t k = 0; k < sizeof TIES / sizeof *TIES; ++k) {
        start(k + 20U);
        ties(TIES[k]);
        sweep_line("ties", digest);
    }
    for (int exponent = -15; exponent <= 0; ++exponent) {
        start((uint64_t)(exponent + 50));
        lstm(exponent);
        sweep_line("lstm", digest);
    }
}
