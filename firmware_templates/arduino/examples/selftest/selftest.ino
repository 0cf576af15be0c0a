// Prints whether this board computes the reference's bits; open the serial monitor at 115200 baud.
#include <Arduino.h>

#include "rnn_edge_example_model.h"

#include "rnn_edge_example.h"

static void print_line(const char *line) {
    Serial.println(line);
}

void setup() {
    Serial.begin(115200);
}

// Again and again: with USB, whoever opens the port late has missed the first lines.
void loop() {
    rnn_edge_example_run(print_line);
    delay(2000);
}
