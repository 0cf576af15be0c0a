#ifndef ZEPHYR_KERNEL_STAND_IN_H
#define ZEPHYR_KERNEL_STAND_IN_H

#include <stddef.h>
#include <stdint.h>

#define __noinit __attribute__((section(".noinit")))
#define K_MSEC(ms) (ms)

typedef struct thread *k_tid_t;

k_tid_t k_current_get(void);
int k_thread_stack_space_get(k_tid_t thread, size_t *unused);
int32_t k_sleep(int ms);

#endif
