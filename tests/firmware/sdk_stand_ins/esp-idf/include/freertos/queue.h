typedef struct queue *QueueHandle_t;

BaseType_t xQueueReceive(QueueHandle_t queue, void *to, TickType_t wait);
