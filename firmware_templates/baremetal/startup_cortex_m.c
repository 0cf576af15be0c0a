/*
 * Start of an Arm Cortex-M: vector table and coprocessors.
 *
 * Source: Armv6-M, Armv7-M and Armv8-M Architecture Reference Manuals, "The vector table",
 * "Vector Table Offset Register" and "Coprocessor Access Control Register".
 */
#include "board/numbers.h"
#include "platform.h"
#include "rnn_edge_served.h"

/* Of the external interrupts only the link's is ever enabled. */
#ifdef BOARD_UART_IRQ
enum { VECTORS = 16 + BOARD_UART_IRQ + 1 };
void rnn_edge_uart_interrupt(void);
#else
enum { VECTORS = 16 };
#endif

typedef union {
    void (*handler)(void);
    const void *address;
} vector;

/* The entry of the image. */
_Noreturn void rnn_edge_reset(void);

_Noreturn void rnn_edge_fault(void) {
    rnn_edge_exit(RNN_EDGE_END_FAULT);
}

/* No exception of the processor is expected: whatever comes is a fault. It may be that of a stack
 * that left RAM, and a fault within this one would stop the processor for good: the stack begins
 * anew. */
static __attribute__((naked)) void on_fault(void) {
    __asm__ volatile("ldr r0, =rnn_edge_stack_top\n\t"
                     "mov sp, r0\n\t"
                     "ldr r0, =rnn_edge_fault\n\t"
                     "bx r0\n\t"
                     ".ltorg");
}

#ifdef BOARD_WATCHDOG_WARNS_BY_NMI
/* What hangs goes on hanging, until the watchdog does more than warn. */
static void on_warning(void) {
}
#else
#define on_warning on_fault
#endif

extern const vector rnn_edge_vectors[VECTORS];

__attribute__((section(".vectors"), used)) const vector rnn_edge_vectors[VECTORS] = {
    {.address = rnn_edge_stack_top},
    {.handler = rnn_edge_reset},
    {.handler = on_warning},
    {.handler = on_fault},
    {.handler = on_fault},
    {.handler = on_fault},
    {.handler = on_fault},
    {.handler = on_fault},
    {.handler = on_fault},
    {.handler = on_fault},
    {.handler = on_fault},
    {.handler = on_fault},
    {.handler = on_fault},
    {.handler = on_fault},
    {.handler = on_fault},
    {.handler = on_fault},
#ifdef BOARD_UART_IRQ
    [16 + BOARD_UART_IRQ] = {.handler = rnn_edge_uart_interrupt},
#endif
};

static void prepare_processor(void) {
#if !defined(__ARM_ARCH_6M__)
    /* A boot loader that jumps here leaves the table where its own is. */
    volatile uint32_t *const table = (volatile uint32_t *)UINT32_C(0xE000ED08);
    *table = (uint32_t)(uintptr_t)rnn_edge_vectors;
    __asm__ volatile("dsb" ::: "memory");
#endif
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    /* The registers of the floating-point unit are those of the vector unit; both are locked
     * after a reset. */
    volatile uint32_t *const access_control = (volatile uint32_t *)UINT32_C(0xE000ED88);
    *access_control |= UINT32_C(0xF) << 20;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
}

/* The compiler may use vector registers in any function: the first one enables them. */
_Noreturn void rnn_edge_reset(void) {
    prepare_processor();
    rnn_edge_begin();
}
