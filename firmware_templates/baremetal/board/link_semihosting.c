/*
 * The link through semihosting, in place of a UART: the console of the debugger, or of the
 * emulator. Receiving waits until something comes: the board does nothing else meanwhile.
 *
 * A Cortex-M with it has no number uart_irq: there is no handler for it.
 *
 * Source: as board/semihosting.h, operations SYS_OPEN, SYS_READ and SYS_WRITE.
 */
#include "board/parts.h"
#include "board/semihosting.h"
#include "platform.h"

enum { SYS_OPEN = 0x01, SYS_WRITE = 0x05, SYS_READ = 0x06, MODE_READ = 0, MODE_WRITE = 4 };

static int32_t input = -1;
static int32_t output = -1;

/* The console has this name for both directions; the mode says which. */
static int32_t open_console(uint32_t mode) {
    static const char name[] = ":tt";
    const uint32_t parameters[] = {(uint32_t)(uintptr_t)name, mode, sizeof name - 1};
    return rnn_edge_semihosting(SYS_OPEN, parameters);
}

void rnn_edge_transport_begin(void) {
    input = open_console(MODE_READ);
    output = open_console(MODE_WRITE);
    if (input < 0 || output < 0) {
        rnn_edge_exit(RNN_EDGE_END_NO_LINK);
    }
}

/* Reading and writing return how many bytes they left over. */
size_t rnn_edge_board_receive(uint8_t *to, size_t capacity) {
    const uint32_t parameters[] = {(uint32_t)input, (uint32_t)(uintptr_t)to, (uint32_t)capacity};
    const int32_t left = rnn_edge_semihosting(SYS_READ, parameters);
    if (left < 0 || (uint32_t)left >= capacity) {
        /* Nobody will write to the console any more. */
        rnn_edge_exit(RNN_EDGE_END_NO_LINK);
    }
    return capacity - (uint32_t)left;
}

uint32_t rnn_edge_board_lost(void) {
    return 0;
}

bool rnn_edge_nothing_received(void) {
    /* Asking waits for the answer. */
    return false;
}

bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
    while (count != 0) {
        const uint32_t parameters[] = {(uint32_t)output, (uint32_t)(uintptr_t)bytes,
                                       (uint32_t)count};
        const int32_t left = rnn_edge_semihosting(SYS_WRITE, parameters);
        if (left < 0 || (uint32_t)left >= count) {
            return false;
        }
        bytes += count - (uint32_t)left;
        count = (uint32_t)left;
    }
    return true;
}
