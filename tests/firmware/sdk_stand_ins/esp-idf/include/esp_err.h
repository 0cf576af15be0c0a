#ifndef ESP_ERR_STAND_IN_H
#define ESP_ERR_STAND_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int esp_err_t;

enum { ESP_OK = 0, ESP_FAIL = -1, ESP_ERR_INVALID_STATE = 0x103 };

void abort(void);

#define ESP_ERROR_CHECK(done)                                                                      \
    do {                                                                                           \
        if ((done) != ESP_OK) {                                                                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
