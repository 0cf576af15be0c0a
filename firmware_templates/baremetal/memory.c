/*
 * The memory functions of <string.h>, small rather than fast, but for words that are copied.
 * Compilers like to replace such loops by calls of these very functions: build with
 * -fno-tree-loop-distribute-patterns.
 */
#include <stdint.h>
#include <string.h>

/* What is copied may be of any type. */
typedef uint32_t __attribute__((may_alias)) word;

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    uint8_t *target = to;
    const uint8_t *source = from;
    size_t k = 0;
    if (((uintptr_t)target | (uintptr_t)source) % sizeof(word) == 0) {
        for (; k + sizeof(word) <= count; k += sizeof(word)) {
            *(word *)(void *)(target + k) = *(const word *)(const void *)(source + k);
        }
    }
    for (; k < count; ++k) {
        target[k] = source[k];
    }
    return to;
}

void *memset(void *to, int value, size_t count) {
    uint8_t *target = to;
    for (size_t k = 0; k < count; ++k) {
        target[k] = (uint8_t)value;
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t count) {
    const uint8_t *a = left;
    const uint8_t *b = right;
    for (size_t k = 0; k < count; ++k) {
        if (a[k] != b[k]) {
            return a[k] < b[k] ? -1 : 1;
        }
    }
    return 0;
}
