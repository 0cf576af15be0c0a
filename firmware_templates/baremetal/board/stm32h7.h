/*
 * Registers of the STM32H742 and H743 that more than one part uses.
 *
 * Source: ST, reference manual RM0433, "Reset and Clock Control", "General-purpose I/Os".
 */
#ifndef RNN_EDGE_STM32H7_H
#define RNN_EDGE_STM32H7_H

#include "board/stm32.h"

#define RCC(offset) RNN_EDGE_REGISTER(UINT32_C(0x58024400) + (offset))
#define RCC_CR RCC(0x00)
#define RCC_CFGR RCC(0x10)
#define RCC_D1CFGR RCC(0x18)
#define RCC_D2CFGR RCC(0x1C)
#define RCC_D3CFGR RCC(0x20)
#define RCC_PLLCKSELR RCC(0x28)
#define RCC_PLLCFGR RCC(0x2C)
#define RCC_PLL1DIVR RCC(0x30)
#define RCC_RSR RCC(0xD0)
#define RCC_AHB4ENR RCC(0xE0)
#define RCC_APB1LENR RCC(0xE8)

#define STM32_PORTS UINT32_C(0x58020000)
#define STM32_PORT_CLOCKS RCC_AHB4ENR

#endif
