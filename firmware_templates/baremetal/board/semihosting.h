/*
 * The operations that a debugger, or the emulator in its place, carries out for the program.
 *
 * Source: Arm, "Semihosting for AArch32 and AArch64"; "RISC-V Semihosting", the same operations
 * behind another trap.
 */
#ifndef RNN_EDGE_SEMIHOSTING_H
#define RNN_EDGE_SEMIHOSTING_H

#include <stdint.h>

/* Parameters are a block of words, passed by its address. */
static inline int32_t rnn_edge_semihosting(uint32_t operation, const uint32_t *parameters) {
#if defined(__arm__)
    register uint32_t r0 __asm__("r0") = operation;
    register const uint32_t *r1 __asm__("r1") = parameters;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
#elif defined(__riscv)
    register uint32_t a0 __asm__("a0") = operation;
    register const uint32_t *a1 __asm__("a1") = parameters;
    /* The two shifts change nothing: they tell this ebreak from others. The three instructions
     * must be uncompressed and on one page. */
    __asm__ volatile(".option push\n\t"
                     ".option norvc\n\t"
                     ".balign 16\n\t"
                     "slli zero, zero, 0x1f\n\t"
                     "ebreak\n\t"
                     "srai zero, zero, 7\n\t"
                     ".option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return (int32_t)a0;
#else
#error "semihosting is known for Arm and RISC-V"
#endif
}

#endif
