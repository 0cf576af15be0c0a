/*
 * The link over the first UART of an MPS2 board, asked for its bytes one by one.
 *
 * Source: Arm, "Cortex-M System Design Kit Technical Reference Manual" (DDI 0479), APB UART.
 */
#include "platform.h"
#include "rnn_edge_link_server.h"
#include "rnn_edge_service.h"

typedef struct {
    volatile uint32_t data;
    volatile uint32_t state; /* bit 0: no room to send, bit 1: a byte has come */
    volatile uint32_t control;
    volatile uint32_t interrupts;
    volatile uint32_t divider;
} uart;

#define UART ((uart *)0x40004000)

static rnn_edge_link_server server;

void rnn_edge_link_open(void) {
    UART->divider = 16;
    UART->control = 3;
}

_Noreturn void rnn_edge_exit(int code) {
    (void)code;
    for (;;) {
    }
}

static bool put(void *context, const uint8_t *bytes, size_t count) {
    (void)context;
    for (size_t k = 0; k < count; ++k) {
        while ((UART->state & 1U) != 0) {
        }
        UART->data = bytes[k];
    }
    return true;
}

rnn_edge_service_end rnn_edge_service_run(void) {
    rnn_edge_link_server_begin(&server, put, NULL);
    for (;;) {
        while ((UART->state & 2U) == 0) {
        }
        const uint8_t byte = (uint8_t)UART->data;
        rnn_edge_link_server_feed(&server, &byte, 1);
    }
}
