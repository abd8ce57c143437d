#include "runtime/scratch.h"

#include <stdint.h>
#include <stdlib.h>

#define ALIGNMENT 128

/* In front of each block's memory; a whole alignment unit long. */
typedef struct sinter_scratch_block {
  sinter_scratch *owner; /* NULL: plain malloc */
  struct sinter_scratch_block *following;
  unsigned size_class;
  char padding[ALIGNMENT - 2 * sizeof(void *) - sizeof(unsigned)];
} sinter_scratch_block;

_Static_assert(sizeof(sinter_scratch_block) == ALIGNMENT, "the header keeps the alignment");

void sinter_scratch_open(sinter_scratch *scratch) {
  *scratch = (sinter_scratch){.system_allocations = 0};
  pthread_mutex_init(&scratch->mutex, NULL);
}

void sinter_scratch_close(sinter_scratch *scratch) {
  for (unsigned c = 0; c < SINTER_SCRATCH_CLASSES; ++c) {
    while (scratch->free_blocks[c]) {
      sinter_scratch_block *block = scratch->free_blocks[c];
      scratch->free_blocks[c] = block->following;
      free(block);
    }
  }
  pthread_mutex_destroy(&scratch->mutex);
}

/* Class c holds blocks of 2^c bytes. */
static unsigned size_class_of(size_t bytes) {
  unsigned size_class = 7;
  while (((size_t)1 << size_class) < bytes)
    ++size_class;
  return size_class;
}

static sinter_scratch_block *take_free_block(sinter_scratch *scratch, unsigned size_class) {
  pthread_mutex_lock(&scratch->mutex);
  sinter_scratch_block *block = scratch->free_blocks[size_class];
  if (block)
    scratch->free_blocks[size_class] = block->following;
  else
    ++scratch->system_allocations;
  pthread_mutex_unlock(&scratch->mutex);
  return block;
}

void *sinter_scratch_allocate(sinter_scratch *scratch, size_t bytes) {
  if (bytes > SIZE_MAX / 4)
    return NULL;
  const unsigned size_class = size_class_of(bytes);
  sinter_scratch_block *block = scratch ? take_free_block(scratch, size_class) : NULL;
  if (!block) {
    const size_t total = sizeof(sinter_scratch_block) + ((size_t)1 << size_class) + ALIGNMENT;
    block = aligned_alloc(ALIGNMENT, total);
    if (!block)
      return NULL;
    block->owner = scratch;
    block->size_class = size_class;
  }
  return block + 1;
}

void sinter_scratch_free(void *memory) {
  if (!memory)
    return;
  sinter_scratch_block *block = (sinter_scratch_block *)memory - 1;
  sinter_scratch *owner = block->owner;
  if (!owner) {
    free(block);
    return;
  }
  pthread_mutex_lock(&owner->mutex);
  block->following = owner->free_blocks[block->size_class];
  owner->free_blocks[block->size_class] = block;
  pthread_mutex_unlock(&owner->mutex);
}
