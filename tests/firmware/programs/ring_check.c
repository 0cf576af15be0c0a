/*
 * Puts bytes into the receive ring as an interrupt would, in portions of all sizes, and takes them
 * out: what comes out is what went in, in order, and what found no room is counted.
 */
#include <stdio.h>

#include "board/parts.h"
#include "board/receive_ring.h"

enum { LARGEST = 4096 };

static uint8_t taken[LARGEST];

int main(void) {
    uint32_t put = 0;
    uint32_t got = 0;
    uint32_t random = 1;
    for (uint32_t round = 0; round < 20000; ++round) {
        random = random * 1664525U + 1013904223U;
        for (uint32_t k = (random >> 24) % 60U; k != 0; --k) {
            rnn_edge_ring_put((uint8_t)(put++ * 7U));
        }
        const size_t count = rnn_edge_board_receive(taken, 1 + (random >> 16) % 80U);
        for (size_t k = 0; k < count; ++k) {
            if (taken[k] != (uint8_t)(got++ * 7U)) {
                printf("byte %u is wrong\n", (unsigned)got - 1);
                return 1;
            }
        }
        while (put - got > 400) {
            got += (uint32_t)rnn_edge_board_receive(taken, 60);
        }
    }
    while (!rnn_edge_nothing_received()) {
        (void)rnn_edge_board_receive(taken, LARGEST);
    }
    const uint32_t lost = rnn_edge_board_lost();
    for (uint32_t k = 0; k < LARGEST; ++k) {
        rnn_edge_ring_put((uint8_t)k);
    }
    const size_t room = rnn_edge_board_receive(taken, LARGEST);
    for (size_t k = 0; k < room; ++k) {
        if (taken[k] != (uint8_t)k) {
            printf("byte %u of a full ring is wrong\n", (unsigned)k);
            return 1;
        }
    }
    rnn_edge_ring_lose(3);
    printf("%u %u %u\n", (unsigned)lost, (unsigned)room, (unsigned)rnn_edge_board_lost());
    return 0;
}
