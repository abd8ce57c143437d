/* A pool of exactly threads - 1 workers beside the calling thread, and the kernels' scratch
 * memory. One pool a context; its address is the kernels' user context.
 */
#pragma once

#include "runtime/scratch.h"

#include <stdint.h>

typedef struct sinter_pool sinter_pool;

/* Halide's signature of a parallel loop's body: one iteration, 0 for success. */
typedef int (*sinter_task)(void *user_context, int index, uint8_t *closure);

/* NULL with sinter_last_error() set when memory or threads cannot be had. */
sinter_pool *sinter_pool_create(int32_t threads);
void sinter_pool_destroy(sinter_pool *pool); /* joins the workers; NULL is allowed */

/* Joins and starts workers until there are threads - 1. No loop may be running. A failure leaves
 * the calling thread alone in the pool. */
int sinter_pool_resize(sinter_pool *pool, int32_t threads);

/* Runs task(user context = pool, i, closure) for i in [min, min + size), each exactly once, the
 * caller taking part. May be called from several threads at once and from inside a task. Returns
 * the first failure, after which iterations not yet begun are skipped. */
int sinter_pool_run(sinter_pool *pool, sinter_task task, int min, int size, uint8_t *closure);

sinter_scratch *sinter_pool_scratch(sinter_pool *pool);

/* What the kernels of the pool's context run on, beside the processor: NULL at first. */
struct sinter_device;
void sinter_pool_set_device(sinter_pool *pool, struct sinter_device *device);
struct sinter_device *sinter_pool_device(sinter_pool *pool);

/* Processors that this process may run on, at least 1. */
int32_t sinter_processor_count(void);
