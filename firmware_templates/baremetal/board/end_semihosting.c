/*
 * Ends the emulator, which exits with a code of the program.
 *
 * Source: as board/semihosting.h, operation SYS_EXIT_EXTENDED.
 */
#include "board/parts.h"
#include "board/semihosting.h"
#include "platform.h"

enum { SYS_EXIT_EXTENDED = 0x20 };

#define APPLICATION_EXIT UINT32_C(0x20026)

_Noreturn void rnn_edge_exit(int code) {
    const uint32_t parameters[] = {APPLICATION_EXIT, (uint32_t)code};
    for (;;) {
        rnn_edge_semihosting(SYS_EXIT_EXTENDED, parameters);
    }
}
