/* A device tree of a console, a green LED, a watchdog, and a flash with pages. */
#ifndef ZEPHYR_DEVICE_STAND_IN_H
#define ZEPHYR_DEVICE_STAND_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device {
    const char *name;
};

extern const struct device console_stand_in;
extern const struct device watchdog_stand_in;

#define DT_ALIAS(name) ALIAS_##name
#define DT_CHOSEN(name) CHOSEN_##name
#define DEVICE_OF_CHOSEN_zephyr_console (&console_stand_in)
#define DEVICE_OF_ALIAS_watchdog0 (&watchdog_stand_in)
#define DEVICE_DT_GET_(node) DEVICE_OF_##node
#define DEVICE_DT_GET(node) DEVICE_DT_GET_(node)

#define HAS_ALIAS_led0 1
#define HAS_ALIAS_watchdog0 1
#define DT_NODE_HAS_STATUS_(node) HAS_##node
#define DT_NODE_HAS_STATUS(node, status) DT_NODE_HAS_STATUS_(node)

#define PROP_CHOSEN_zephyr_flash_erase_block_size 4096
#define PROP_CHOSEN_zephyr_flash_write_block_size 4
#define DT_PROP_(node, name) PROP_##node##_##name
#define DT_PROP(node, name) DT_PROP_(node, name)
#define DT_NODE_HAS_PROP(node, name) (DT_PROP(node, name) > 0)

static inline bool device_is_ready(const struct device *of) {
    return of->name != NULL;
}

#endif
