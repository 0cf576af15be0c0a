/*
 * What the parts of a bare-metal image need of each other.
 */
#ifndef RNN_EDGE_PLATFORM_H
#define RNN_EDGE_PLATFORM_H

#include <stdint.h>

/* Why an image ended, as the exit code of its emulator. */
typedef enum {
    RNN_EDGE_END_FAULT = 101,   /* the processor stopped at an instruction or an address */
    RNN_EDGE_END_NO_LINK = 102, /* the debugger does not offer its console, or closed it */
} rnn_edge_end;

/* The regions that the linker placed; only the addresses mean something. */
extern uint32_t rnn_edge_stack_bottom[];
extern uint32_t rnn_edge_paint_end[]; /* above it are the frames of the painter itself */
extern uint32_t rnn_edge_stack_top[];
extern uint32_t rnn_edge_data_start[];
extern uint32_t rnn_edge_data_end[];
extern const uint32_t rnn_edge_data_source[];
extern uint32_t rnn_edge_bss_start[];
extern uint32_t rnn_edge_bss_end[];

/* Where the startup code goes once there is a stack. Fills the memory and runs the application. */
_Noreturn void rnn_edge_begin(void);

/* Where the startup code goes from whatever the processor cannot go on with, with a new stack. */
_Noreturn void rnn_edge_fault(void);

/* Ends the program; the emulator exits with this code. Of a board: it starts again. */
_Noreturn void rnn_edge_exit(int code);

#endif
