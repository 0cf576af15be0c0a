/*
 * Uses everything of a board, over several starts, and says over the link what it found: a word, a
 * number and a zero for each.
 */
#include <string.h>

#include "platform.h"
#include "rnn_edge_board.h"
#include "rnn_edge_served.h"

enum { WATCHDOG_MS = 40, PIECE = 256, EDGE = 1024, FED_FOR = 3 };

#define KEPT UINT32_C(0x1E57B0A7)

static __attribute__((section(".noinit"))) uint32_t kept[2];
static uint8_t piece[PIECE];
static uint8_t found[PIECE];

uint32_t rnn_edge_platform_stack_bytes(void) {
    return 0;
}

static void say(const char *word, uint32_t number) {
    uint8_t text[48];
    size_t length = 0;
    while (word[length] != 0) {
        text[length] = (uint8_t)word[length];
        ++length;
    }
    text[length++] = ' ';
    for (unsigned shift = 32; shift != 0; shift -= 4) {
        text[length++] = (uint8_t) "0123456789abcdef"[(number >> (shift - 4)) & 15U];
    }
    text[length++] = '\n';
    (void)rnn_edge_board_send(text, length);
}

/* Bytes that differ from place to place and from piece to piece. */
static void fill(unsigned place, uint32_t offset) {
    for (uint32_t k = 0; k < PIECE; ++k) {
        piece[k] = (uint8_t)(11U * (offset + k) + (offset >> 8) + 101U * place + 7U);
    }
}

/* Large places are looked at where they begin and end. */
static uint32_t behind(const rnn_edge_medium *medium, uint32_t offset) {
    const uint32_t next = offset + PIECE;
    const bool is_between = next >= EDGE && next < medium->place_bytes - EDGE;
    return is_between && medium->place_bytes > 4 * EDGE ? medium->place_bytes - EDGE : next;
}

static uint32_t piece_at(const rnn_edge_medium *medium, uint32_t offset) {
    return medium->place_bytes - offset < PIECE ? medium->place_bytes - offset : PIECE;
}

static uint32_t wrong_bytes(const rnn_edge_medium *medium, unsigned place) {
    uint32_t wrong = 0;
    for (uint32_t offset = 0; offset < medium->place_bytes; offset = behind(medium, offset)) {
        const uint32_t count = piece_at(medium, offset);
        fill(place, offset);
        medium->read(place, offset, found, count);
        for (uint32_t k = 0; k < count; ++k) {
            wrong += found[k] != piece[k];
        }
    }
    return wrong;
}

static uint32_t wrong_erased(const rnn_edge_medium *medium, unsigned place) {
    uint32_t wrong = medium->erase(place) ? 0 : 1;
    for (uint32_t offset = 0; offset < medium->place_bytes; offset = behind(medium, offset)) {
        const uint32_t count = piece_at(medium, offset);
        medium->read(place, offset, found, count);
        for (uint32_t k = 0; k < count; ++k) {
            wrong += found[k] != 0xFF;
        }
    }
    return wrong;
}

static uint32_t wrong_written(const rnn_edge_medium *medium, unsigned place) {
    uint32_t wrong = 0;
    for (uint32_t offset = 0; offset < medium->place_bytes; offset = behind(medium, offset)) {
        fill(place, offset);
        wrong += medium->write(place, offset, piece, piece_at(medium, offset)) ? 0 : 1;
    }
    return wrong;
}

static void write_all(const rnn_edge_medium *medium) {
    if (medium == NULL) {
        return;
    }
    say(medium->name, medium->place_bytes);
    say("unit", medium->unit);
    for (unsigned place = 0; place < 2; ++place) {
        say("erased", wrong_erased(medium, place));
        say("written", wrong_written(medium, place));
    }
    /* The second place is what it is wherever it was the last one that changed. */
    say("erased", wrong_erased(medium, 0));
    say("second", wrong_bytes(medium, 1));
    say("written", wrong_written(medium, 0));
}

static void read_all(const rnn_edge_medium *medium) {
    if (medium != NULL) {
        say("kept", wrong_bytes(medium, 0) + wrong_bytes(medium, 1));
    }
}

static void wait_ms(uint32_t ms) {
    for (uint32_t k = 0; k < ms; ++k) {
        uint32_t ticks = 0;
        rnn_edge_platform_start_ticks();
        while (ticks < RNN_EDGE_TEST_TICKS_OF_A_MS) {
            ticks = rnn_edge_platform_ticks();
        }
    }
}

static void fault(void) {
    say("fault", 0);
#if defined(__arm__)
    __asm__ volatile("udf #0");
#else
    __asm__ volatile("unimp");
#endif
}

static void hang(void) {
    const bool is_watched = rnn_edge_board_start_watchdog(WATCHDOG_MS);
    say("watchdog", is_watched);
    if (is_watched) {
        for (unsigned k = 0; k < FED_FOR; ++k) {
            wait_ms(WATCHDOG_MS / 2);
            rnn_edge_board_feed_watchdog();
        }
        say("fed", FED_FOR);
        for (;;) {
        }
    }
}

_Noreturn void rnn_edge_begin(void) {
    const uint32_t *from = rnn_edge_data_source;
    for (uint32_t *to = rnn_edge_data_start; to < rnn_edge_data_end; ++to) {
        *to = *from++;
    }
    for (uint32_t *to = rnn_edge_bss_start; to < rnn_edge_bss_end; ++to) {
        *to = 0;
    }
    rnn_edge_board_begin();
    kept[1] = kept[0] == KEPT ? kept[1] + 1 : 1;
    kept[0] = KEPT;
    say("start", kept[1]);
    say("cause", rnn_edge_board_started());
    if (kept[1] == 1) {
        write_all(rnn_edge_board_retained());
        write_all(rnn_edge_board_flash());
        rnn_edge_board_show(true);
        say("shown", 1);
        wait_ms(1);
        rnn_edge_board_restart();
    }
    if (kept[1] == 2) {
        read_all(rnn_edge_board_retained());
        read_all(rnn_edge_board_flash());
        rnn_edge_board_show(true);
        rnn_edge_board_show(false);
        say("shown", 0);
        hang();
        fault();
    }
    if (kept[1] == 3) {
        fault();
    }
    say("end", 0);
    for (;;) {
        rnn_edge_board_idle();
    }
}
