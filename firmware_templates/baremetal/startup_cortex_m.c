/*
 * Start of an Arm Cortex-M: vector table, coprocessors, tick counter.
 *
 * Source: Armv6-M, Armv7-M and Armv8-M Architecture Reference Manuals, "The vector table",
 * "Coprocessor Access Control Register" and "System timer, SysTick".
 */
#include "platform.h"
#include "rnn_edge_service.h"

enum { FIRST_VECTORS = 16 };

typedef union {
    void (*handler)(void);
    const void *address;
} vector;

/* The entry of the image. */
_Noreturn void rnn_edge_reset(void);

/* No interrupt is ever enabled: whatever comes here is a fault. */
static void on_fault(void) {
    rnn_edge_exit(RNN_EDGE_END_FAULT);
}

extern const vector rnn_edge_vectors[FIRST_VECTORS];

__attribute__((section(".vectors"), used)) const vector rnn_edge_vectors[FIRST_VECTORS] = {
    {.address = rnn_edge_stack_top}, {.handler = rnn_edge_reset}, {.handler = on_fault},
    {.handler = on_fault},           {.handler = on_fault},       {.handler = on_fault},
    {.handler = on_fault},           {.handler = on_fault},       {.handler = on_fault},
    {.handler = on_fault},           {.handler = on_fault},       {.handler = on_fault},
    {.handler = on_fault},           {.handler = on_fault},       {.handler = on_fault},
    {.handler = on_fault},
};

#define SYST_CSR (*(volatile uint32_t *)UINT32_C(0xE000E010))
#define SYST_RVR (*(volatile uint32_t *)UINT32_C(0xE000E014))
#define SYST_CVR (*(volatile uint32_t *)UINT32_C(0xE000E018))
#define SYST_ENABLED_ON_THE_PROCESSOR_CLOCK UINT32_C(5)
#define SYST_LARGEST UINT32_C(0x00FFFFFF)

static void prepare_processor(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    /* The registers of the floating-point unit are those of the vector unit; both are locked
     * after a reset. */
    volatile uint32_t *const access_control = (volatile uint32_t *)UINT32_C(0xE000ED88);
    *access_control |= UINT32_C(0xF) << 20;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
    SYST_RVR = SYST_LARGEST;
    SYST_CVR = 0;
    SYST_CSR = SYST_ENABLED_ON_THE_PROCESSOR_CLOCK;
}

/* The compiler may use vector registers in any function: the first one enables them. */
_Noreturn void rnn_edge_reset(void) {
    prepare_processor();
    rnn_edge_begin();
}

static uint32_t start;

void rnn_edge_platform_start_ticks(void) {
    start = SYST_CVR;
}

/* The counter runs downwards, and from 0 to the largest value. */
uint32_t rnn_edge_platform_ticks(void) {
    return (start - SYST_CVR) & SYST_LARGEST;
}
