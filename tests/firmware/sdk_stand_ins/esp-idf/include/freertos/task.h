void vTaskDelay(TickType_t ticks);
UBaseType_t uxTaskGetStackHighWaterMark(void *task);
