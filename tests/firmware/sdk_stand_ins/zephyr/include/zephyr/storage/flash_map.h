#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct flash_area {
    size_t fa_size;
};

#define FIXED_PARTITION_EXISTS(label) 1
#define FIXED_PARTITION_ID(label) 7

int flash_area_open(uint8_t id, const struct flash_area **fa);
int flash_area_read(const struct flash_area *fa, off_t off, void *dst, size_t len);
int flash_area_write(const struct flash_area *fa, off_t off, const void *src, size_t len);
int flash_area_erase(const struct flash_area *fa, off_t off, size_t len);
