/* Memory that kernels ask for while they run: free lists by size class, so that once a step has
 * run, the next ones find every block there and never call malloc.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>

#define SINTER_SCRATCH_CLASSES 64

typedef struct sinter_scratch {
  pthread_mutex_t mutex;
  struct sinter_scratch_block *free_blocks[SINTER_SCRATCH_CLASSES];
  size_t system_allocations; /* how often malloc was called: steady when warm */
} sinter_scratch;

void sinter_scratch_open(sinter_scratch *scratch);
void sinter_scratch_close(sinter_scratch *scratch); /* every block must have been given back */

/* 128-aligned, with 128 readable bytes before and after; NULL when memory is short. `scratch` NULL:
 * plain malloc. Free takes either kind. */
void *sinter_scratch_allocate(sinter_scratch *scratch, size_t bytes);
void sinter_scratch_free(void *memory);
