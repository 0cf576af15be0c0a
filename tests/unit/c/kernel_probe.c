/* Calls the inline arithmetic over arrays, for comparison with the reference. */
#include <stddef.h>

#include "rnn_edge_activation.h"
#include "rnn_edge_fixedpoint.h"

void probe_logistic(const int32_t *x, size_t count, int32_t *out);
void probe_tanh(const int32_t *x, size_t count, int32_t *out);
void probe_tanh_of_gate(const int32_t *x, size_t count, int32_t *out);
void probe_gated(const int16_t *a, const int16_t *b, size_t count, unsigned bits, int32_t *out);
void probe_requantize(const int16_t *x, size_t count, int from, int to, int16_t *out);
void probe_multiply(const int16_t *a, const int16_t *b, size_t count, unsigned bits, int16_t *out);
void probe_halve(const int32_t *x, size_t count, int16_t *out);
void probe_divide_twice(const int32_t *x, size_t count, unsigned bits, int16_t *out);
void probe_divide_away(const int32_t *x, size_t count, unsigned bits, int16_t *out);

void probe_logistic(const int32_t *x, size_t count, int32_t *out) {
    for (size_t k = 0; k < count; ++k) {
        out[k] = rnn_edge_logistic(x[k]);
    }
}

void probe_tanh(const int32_t *x, size_t count, int32_t *out) {
    for (size_t k = 0; k < count; ++k) {
        out[k] = rnn_edge_tanh(x[k]);
    }
}

void probe_tanh_of_gate(const int32_t *x, size_t count, int32_t *out) {
    for (size_t k = 0; k < count; ++k) {
        out[k] = rnn_edge_tanh_of_gate(x[k]);
    }
}

void probe_gated(const int16_t *a, const int16_t *b, size_t count, unsigned bits, int32_t *out) {
    for (size_t k = 0; k < count; ++k) {
        out[k] = rnn_edge_gated(a[k], b[k], bits);
    }
}

void probe_requantize(const int16_t *x, size_t count, int from, int to, int16_t *out) {
    for (size_t k = 0; k < count; ++k) {
        out[k] = rnn_edge_requantize(x[k], from, to);
    }
}

void probe_multiply(const int16_t *a, const int16_t *b, size_t count, unsigned bits, int16_t *out) {
    for (size_t k = 0; k < count; ++k) {
        out[k] = rnn_edge_multiply(a[k], b[k], bits);
    }
}

void probe_halve(const int32_t *x, size_t count, int16_t *out) {
    for (size_t k = 0; k < count; ++k) {
        out[k] = rnn_edge_saturate32(rnn_edge_divide_away(x[k], 1));
    }
}

void probe_divide_twice(const int32_t *x, size_t count, unsigned bits, int16_t *out) {
    for (size_t k = 0; k < count; ++k) {
        out[k] = rnn_edge_saturate32(rnn_edge_divide_twice(x[k], bits));
    }
}

void probe_divide_away(const int32_t *x, size_t count, unsigned bits, int16_t *out) {
    for (size_t k = 0; k < count; ++k) {
        out[k] = rnn_edge_saturate32(rnn_edge_divide_away(x[k], bits));
    }
}
