/*
 * Registers of the STM32F4 that more than one part uses.
 *
 * Source: ST, reference manuals RM0090 (F405, F407), RM0368 (F401) and RM0390 (F446): "Reset and
 * clock control", "General-purpose I/Os", "Embedded Flash memory interface".
 */
#ifndef RNN_EDGE_STM32F4_H
#define RNN_EDGE_STM32F4_H

#include "board/stm32.h"

#define RCC(offset) RNN_EDGE_REGISTER(UINT32_C(0x40023800) + (offset))
#define RCC_CR RCC(0x00)
#define RCC_PLLCFGR RCC(0x04)
#define RCC_CFGR RCC(0x08)
#define RCC_AHB1ENR RCC(0x30)
#define RCC_APB1ENR RCC(0x40)
#define RCC_CSR RCC(0x74)

#define FLASH(offset) RNN_EDGE_REGISTER(UINT32_C(0x40023C00) + (offset))
#define FLASH_ACR FLASH(0x00)
#define FLASH_KEYR FLASH(0x04)
#define FLASH_SR FLASH(0x0C)
#define FLASH_CR FLASH(0x10)

#define STM32_PORTS UINT32_C(0x40020000)
#define STM32_PORT_CLOCKS RCC_AHB1ENR

#endif
