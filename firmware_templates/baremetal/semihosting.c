/*
 * A link through semihosting: the debugger, or the emulator in its place, reads and writes its
 * console on behalf of the program.
 *
 * Source: Arm, "Semihosting for AArch32 and AArch64", operations SYS_OPEN, SYS_READ, SYS_WRITE
 * and SYS_EXIT_EXTENDED; "RISC-V Semihosting", the same operations behind another trap.
 */
#include "platform.h"
#include "rnn_edge_service.h"

enum {
    SYS_OPEN = 0x01,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_EXIT_EXTENDED = 0x20,
    MODE_READ = 0,
    MODE_WRITE = 4
};

#define APPLICATION_EXIT UINT32_C(0x20026)

/* Parameters are a block of words, passed by its address. */
static int32_t call(uint32_t operation, const uint32_t *parameters) {
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

static int32_t input = -1;
static int32_t output = -1;

/* The console has this name for both directions; the mode says which. */
static int32_t open_console(uint32_t mode) {
    static const char name[] = ":tt";
    const uint32_t parameters[] = {(uint32_t)(uintptr_t)name, mode, sizeof name - 1};
    return call(SYS_OPEN, parameters);
}

void rnn_edge_link_open(void) {
    input = open_console(MODE_READ);
    output = open_console(MODE_WRITE);
    if (input < 0 || output < 0) {
        rnn_edge_exit(RNN_EDGE_END_NO_LINK);
    }
}

/* Both operations return how many bytes they left over. */
static bool transfer(uint32_t operation, int32_t handle, uint32_t address, uint32_t count) {
    while (count != 0) {
        const uint32_t parameters[] = {(uint32_t)handle, address, count};
        const int32_t left = call(operation, parameters);
        if (left < 0 || (uint32_t)left >= count) {
            return false;
        }
        address += count - (uint32_t)left;
        count = (uint32_t)left;
    }
    return true;
}

bool rnn_edge_platform_read(uint8_t *to, size_t count) {
    return transfer(SYS_READ, input, (uint32_t)(uintptr_t)to, count);
}

bool rnn_edge_platform_write(const uint8_t *from, size_t count) {
    return transfer(SYS_WRITE, output, (uint32_t)(uintptr_t)from, count);
}

_Noreturn void rnn_edge_exit(int code) {
    const uint32_t parameters[] = {APPLICATION_EXIT, (uint32_t)code};
    for (;;) {
        call(SYS_EXIT_EXTENDED, parameters);
    }
}
