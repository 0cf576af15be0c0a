/* What the example calls of the Pico SDK; the first pause ends the program. */
#include <stdint.h>
#include <stdlib.h>

static inline void stdio_init_all(void) {
}

static inline void sleep_ms(uint32_t ms) {
    (void)ms;
    exit(0);
}
