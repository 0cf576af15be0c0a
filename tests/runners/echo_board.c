/*
 * Sends back what it receives, on three chips, by asking the UART or by its interrupt.
 *
 * Some bytes are commands: R restarts, F goes where there is no memory, P writes a byte to flash
 * and G sends it (nRF52840). The first two bytes after a start are 'S' and how often it restarted.
 *
 * Source: ST, RM0368; Nordic, "nRF52840 Product Specification"; Raspberry Pi, "RP2040 Datasheet".
 */
#include <stdbool.h>
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define RESTARTS REGISTER(0x20000100)
#define STORED UINT32_C(0x000F0000)

enum { VECTORS = 16 + 64, RING_BYTES = 256 };

extern uint32_t stack_top[];
void begin(void);

#if defined(STM32F401)
#define UART(offset) REGISTER(0x40004400 + (offset))
#define UART_IRQ 38

static void open_uart(void) {
    REGISTER(0x40023840) |= UINT32_C(1) << 17;
    UART(0x08) = 0x2D9;
    UART(0x0C) = 0x202C;
}

static int received(void) {
    return (UART(0x00) & 0x20) != 0 ? (int)(UART(0x04) & 0xFF) : -1;
}

static void send(uint8_t byte) {
    while ((UART(0x00) & 0x80) == 0) {
    }
    UART(0x04) = byte;
}
#elif defined(NRF52840)
#define UART(offset) REGISTER(0x40002000 + (offset))
#define UART_IRQ 2

static void open_uart(void) {
    UART(0x50C) = 6;
    UART(0x514) = 8;
    UART(0x500) = 4;
    UART(0x304) = 4;
    UART(0x000) = 1;
    UART(0x008) = 1;
}

static int received(void) {
    if (UART(0x108) == 0) {
        return -1;
    }
    UART(0x108) = 0;
    return (int)(UART(0x518) & 0xFF);
}

static void send(uint8_t byte) {
    UART(0x11C) = 0;
    UART(0x51C) = byte;
    while (UART(0x11C) == 0) {
    }
}
#else
#define UART(offset) REGISTER(0x40034000 + (offset))
#define UART_IRQ 20

static void open_uart(void) {
    UART(0x2C) = 0x70;
    UART(0x30) = 0x301;
    UART(0x38) = 0x50;
}

static int received(void) {
    return (UART(0x18) & 0x10) != 0 ? -1 : (int)(UART(0x00) & 0xFF);
}

static void send(uint8_t byte) {
    while ((UART(0x18) & 0x20) != 0) {
    }
    UART(0x00) = byte;
}
#endif

static void store(void) {
    REGISTER(0x4001E504) = 2;
    REGISTER(0x4001E508) = STORED;
    REGISTER(0x4001E504) = 1;
    REGISTER(STORED) = 0xFFFFFF42;
    REGISTER(0x4001E504) = 0;
}

#ifdef BY_INTERRUPT
static volatile uint8_t ring[RING_BYTES];
static volatile uint8_t head;
static volatile uint8_t tail;

static void on_interrupt(void) {
    for (int byte = received(); byte >= 0; byte = received()) {
        ring[head++] = (uint8_t)byte;
    }
}

static int next(void) {
    return head == tail ? -1 : ring[tail++];
}

static void listen(void) {
    head = tail = 0;
    REGISTER(0xE000E100 + 4 * (UART_IRQ / 32)) = UINT32_C(1) << (UART_IRQ % 32);
    __asm__ volatile("cpsie i");
}
#else
static void on_interrupt(void) {
}

static int next(void) {
    return received();
}

static void listen(void) {
}
#endif

__attribute__((section(".vectors"), used)) static const void *const vectors[VECTORS] = {
    stack_top,
    (const void *)begin,
    /* Nowhere: a fault stops the processor. */
    [2 ... 15] = (const void *)0xF1000001,
    [16 ... VECTORS - 1] = (const void *)on_interrupt,
};

void begin(void) {
    open_uart();
    send('S');
    send((uint8_t)('0' + (RESTARTS & 7)));
    listen();
    for (;;) {
        const int byte = next();
        if (byte == 'R') {
            ++RESTARTS;
            REGISTER(0xE000ED0C) = 0x05FA0004;
        } else if (byte == 'F') {
            REGISTER(0x70000000) = 1;
        } else if (byte == 'P') {
            store();
        } else if (byte == 'G') {
            send((uint8_t)REGISTER(STORED));
        } else if (byte >= 0) {
            send((uint8_t)byte);
        }
    }
}
