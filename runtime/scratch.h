/* Memory that kernels ask for while they run: free lists by size class, so that once a step has
 * run, the next ones find every block there and never call malloc.
 *
 * How many threads are in a loop at once differs from step to step. What a thread holds at most
 * does not: it follows from the kernel. So of each class there are as many blocks as the threads
 * could hold together, made when the first of them asks.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define SINTER_SCRATCH_CLASSES 64
#define SINTER_SCRATCH_LEVELS 4 /* of loops within loops; further ones count as the last */

typedef struct sinter_scratch {
  pthread_mutex_t mutex;
  int32_t threads; /* that may run a loop's iterations at once */
  struct sinter_scratch_block *free_blocks[SINTER_SCRATCH_CLASSES];
  int32_t blocks[SINTER_SCRATCH_CLASSES]; /* that there are, free or not */
  /* The most that one thread has held of what it took at this level: 0 outside of loops. */
  uint16_t most_held[SINTER_SCRATCH_LEVELS][SINTER_SCRATCH_CLASSES];
  size_t system_allocations; /* how often malloc was called: steady when warm */
} sinter_scratch;

void sinter_scratch_open(sinter_scratch *scratch);
void sinter_scratch_close(sinter_scratch *scratch); /* every block must have been given back */

/* With no loop running. Blocks for more threads are made when a class is next asked for. */
void sinter_scratch_set_threads(sinter_scratch *scratch, int32_t threads);

/* The calling thread enters an iteration of a loop of this level, 1 for an outermost one; returns
 * the level that it was at, to be set again when the iteration is over. */
int32_t sinter_scratch_enter(int32_t level);
int32_t sinter_scratch_level(void); /* the calling thread's */

/* 128-aligned, with 128 readable bytes before and after; NULL when memory is short. `scratch` NULL:
 * plain malloc. Free takes either kind, from the thread that allocated it. */
void *sinter_scratch_allocate(sinter_scratch *scratch, size_t bytes);
void sinter_scratch_free(void *memory);
