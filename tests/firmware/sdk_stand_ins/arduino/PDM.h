/* What the sketches call of Arduino's library for microphones on a PDM bus. */
#ifndef PDM_STAND_IN_H
#define PDM_STAND_IN_H

#include <stddef.h>

class PDMClass {
  public:
    int begin(int channels, int sampleRate);
    int available();
    int read(void *buffer, size_t size);
    void onReceive(void (*callback)(void));
};

extern PDMClass PDM;

#endif
