/*
 * The first 256 bytes of an RP2040's flash: the boot ROM copies them to RAM, checks the last four
 * and calls the rest. They let the processor read the flash where it lies, with the plain command
 * 03h of one data line, which every flash knows, and begin the image.
 *
 * Source: Raspberry Pi, "RP2040 Datasheet", 2.8.1.3.1 "Checksum" (CRC-32 of 252 bytes, polynomial
 * 04C11DB7h, from FFFFFFFFh, nothing reflected or inverted), 4.10 "SSI" (registers CTRLR0, CTRLR1,
 * SSIENR, BAUDR, SPI_CTRLR0); Armv6-M Architecture Reference Manual, "Vector Table Offset
 * Register".
 *
 * The checksum is over what stands here: a test computes it again.
 */
__asm__(".section .boot2, \"ax\", %progbits\n"
        ".syntax unified\n"
        ".cpu cortex-m0plus\n"
        ".thumb\n"
        ".balign 256\n"
        "rnn_edge_boot2:\n"
        "    ldr r3, rnn_edge_boot2_ssi\n"
        "    movs r0, #0\n"
        "    str r0, [r3, #8]\n" /* SSIENR: off, or nothing can be set */
        "    movs r1, #4\n"
        "    str r1, [r3, #20]\n" /* BAUDR: a clock in four, 33 MHz of 133; 03h bears 50 */
        "    ldr r1, rnn_edge_boot2_control\n"
        "    str r1, [r3, #0]\n"
        "    str r0, [r3, #4]\n" /* CTRLR1: one word of data */
        "    movs r2, #244\n"
        "    ldr r1, rnn_edge_boot2_command\n"
        "    str r1, [r3, r2]\n" /* SPI_CTRLR0 */
        "    movs r1, #1\n"
        "    str r1, [r3, #8]\n"
        "    ldr r0, rnn_edge_boot2_vectors\n"
        "    ldr r1, rnn_edge_boot2_vtor\n"
        "    str r0, [r1]\n"
        "    ldmia r0!, {r1, r2}\n"
        "    msr msp, r1\n"
        "    bx r2\n"
        ".balign 4\n"
        "rnn_edge_boot2_ssi: .word 0x18000000\n"
        /* One line, frames of 32 bits, reading behind a command. */
        "rnn_edge_boot2_control: .word (31 << 16) | (3 << 8)\n"
        /* 03h, 8 bits of it, 24 of an address, no waiting, both on one line. */
        "rnn_edge_boot2_command: .word (0x03 << 24) | (2 << 8) | (6 << 2)\n"
        "rnn_edge_boot2_vectors: .word 0x10000100\n"
        "rnn_edge_boot2_vtor: .word 0xE000ED08\n"
        ".org rnn_edge_boot2 + 252\n"
        ".word 0x523f10e3\n"
        ".text\n");
