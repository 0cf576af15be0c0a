/*
 * From the first stack frame to the application, and what a host is told about the stack.
 */
#include "platform.h"
#include "rnn_edge_app.h"
#include "rnn_edge_board.h"
#include "rnn_edge_served.h"

/* No value that a program is likely to push. */
#define PAINT UINT32_C(0xA5C3965A)

static void paint_stack(void) {
    for (uint32_t *word = rnn_edge_stack_bottom; word < rnn_edge_paint_end; ++word) {
        *word = PAINT;
    }
}

uint32_t rnn_edge_platform_stack_bytes(void) {
    const uint32_t *word = rnn_edge_stack_bottom;
    while (word < rnn_edge_stack_top && *word == PAINT) {
        ++word;
    }
    return (uint32_t)((uintptr_t)rnn_edge_stack_top - (uintptr_t)word);
}

static void fill_memory(void) {
    const uint32_t *from = rnn_edge_data_source;
    for (uint32_t *to = rnn_edge_data_start; to < rnn_edge_data_end; ++to) {
        *to = *from++;
    }
    for (uint32_t *to = rnn_edge_bss_start; to < rnn_edge_bss_end; ++to) {
        *to = 0;
    }
}

_Noreturn void rnn_edge_begin(void) {
    paint_stack();
    fill_memory();
    rnn_edge_app_begin();
    for (;;) {
        if (!rnn_edge_app_turn()) {
            rnn_edge_board_idle();
        }
    }
}
