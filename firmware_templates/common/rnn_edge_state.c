/*
 * Saves and restores a model's state as bytes.
 */
#include <string.h>

#include "rnn_edge_bytes.h"
#include "rnn_edge_model.h"

enum {
    VERSION_OFFSET = 4,
    DIGEST_OFFSET = 8,
    VALUES_OFFSET = DIGEST_OFFSET + RNN_EDGE_DIGEST_BYTES,
    CRC_BYTES = 4
};

_Static_assert(RNN_EDGE_BLOB_BYTES(0) == VALUES_OFFSET + CRC_BYTES, "the layout has gaps");

static const uint8_t MAGIC[VERSION_OFFSET] = {'R', 'N', 'E', 'S'};

/* One bit at a time: a blob is small, and a table would cost a kilobyte of flash. */
uint32_t rnn_edge_crc32(const uint8_t *bytes, size_t count) {
    uint32_t crc = UINT32_MAX;
    for (size_t k = 0; k < count; ++k) {
        crc ^= bytes[k];
        for (unsigned bit = 0; bit < 8; ++bit) {
            crc = (crc & 1U) != 0 ? (crc >> 1) ^ 0xEDB88320U : crc >> 1;
        }
    }
    return ~crc;
}

size_t rnn_edge_model_save(const rnn_edge_model *model, const int16_t *state, uint8_t *blob) {
    const size_t length = RNN_EDGE_BLOB_BYTES((size_t)model->state_values);
    (void)memcpy(blob, MAGIC, sizeof MAGIC);
    rnn_edge_put32(blob + VERSION_OFFSET, RNN_EDGE_BLOB_VERSION);
    (void)memcpy(blob + DIGEST_OFFSET, model->digest, RNN_EDGE_DIGEST_BYTES);
    for (size_t k = 0; k < model->state_values; ++k) {
        const uint32_t value = (uint16_t)state[k];
        blob[VALUES_OFFSET + 2 * k] = (uint8_t)value;
        blob[VALUES_OFFSET + 2 * k + 1] = (uint8_t)(value >> 8);
    }
    rnn_edge_put32(blob + length - CRC_BYTES, rnn_edge_crc32(blob, length - CRC_BYTES));
    return length;
}

/* The model is asked for before the length: a blob of another model is long or short because it
 * is another model's. */
static rnn_edge_status check(const rnn_edge_model *model, const uint8_t *blob, size_t length) {
    if (length < RNN_EDGE_BLOB_BYTES(0)) {
        return RNN_EDGE_BAD_LENGTH;
    }
    if (memcmp(blob, MAGIC, sizeof MAGIC) != 0) {
        return RNN_EDGE_BAD_MAGIC;
    }
    if (rnn_edge_get32(blob + VERSION_OFFSET) != RNN_EDGE_BLOB_VERSION) {
        return RNN_EDGE_BAD_VERSION;
    }
    if (memcmp(blob + DIGEST_OFFSET, model->digest, RNN_EDGE_DIGEST_BYTES) != 0) {
        return RNN_EDGE_BAD_MODEL;
    }
    if (length != RNN_EDGE_BLOB_BYTES((size_t)model->state_values)) {
        return RNN_EDGE_BAD_LENGTH;
    }
    if (rnn_edge_get32(blob + length - CRC_BYTES) != rnn_edge_crc32(blob, length - CRC_BYTES)) {
        return RNN_EDGE_BAD_CRC;
    }
    return RNN_EDGE_OK;
}

rnn_edge_status rnn_edge_model_restore(const rnn_edge_model *model, int16_t *state,
                                       const uint8_t *blob, size_t length) {
    const rnn_edge_status status = check(model, blob, length);
    if (status != RNN_EDGE_OK) {
        return status;
    }
    for (size_t k = 0; k < model->state_values; ++k) {
        const uint32_t low = blob[VALUES_OFFSET + 2 * k];
        const int32_t high = (int32_t)blob[VALUES_OFFSET + 2 * k + 1];
        /* The upper byte carries the sign. */
        const int32_t sign = high < 128 ? high : high - 256;
        state[k] = (int16_t)(sign * 256 + (int32_t)low);
    }
    return RNN_EDGE_OK;
}
