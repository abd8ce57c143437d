#include "runtime/scratch.h"

#include "runtime/huge_pages.h"

#include <stdlib.h>

#define ALIGNMENT 128

/* In front of each block's memory; a whole alignment unit long. */
typedef struct sinter_scratch_block {
  sinter_scratch *owner; /* NULL: plain malloc */
  struct sinter_scratch_block *following;
  unsigned size_class;
  int32_t level; /* of the loop that it was taken in */
  char padding[ALIGNMENT - 2 * sizeof(void *) - sizeof(unsigned) - sizeof(int32_t)];
} sinter_scratch_block;

_Static_assert(sizeof(sinter_scratch_block) == ALIGNMENT, "the header keeps the alignment");

/* A thread runs one step at a time, so these are its current context's. */
static _Thread_local int32_t current_level;
static _Thread_local uint16_t held[SINTER_SCRATCH_LEVELS][SINTER_SCRATCH_CLASSES];

void sinter_scratch_open(sinter_scratch *scratch) {
  *scratch = (sinter_scratch){.threads = 1};
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

void sinter_scratch_set_threads(sinter_scratch *scratch, int32_t threads) {
  scratch->threads = threads;
}

int32_t sinter_scratch_enter(int32_t level) {
  const int32_t before = current_level;
  current_level = level;
  return before;
}

int32_t sinter_scratch_level(void) { return current_level; }

/* Class c holds blocks of 2^c bytes. */
static unsigned size_class_of(size_t bytes) {
  unsigned size_class = 7;
  while (((size_t)1 << size_class) < bytes)
    ++size_class;
  return size_class;
}

static sinter_scratch_block *make_block(sinter_scratch *owner, unsigned size_class) {
  const size_t total = sizeof(sinter_scratch_block) + ((size_t)1 << size_class) + ALIGNMENT;
  const size_t pages = sinter_page_alignment(total);
  sinter_scratch_block *block = aligned_alloc(pages > ALIGNMENT ? pages : ALIGNMENT, total);
  if (block) {
    sinter_use_huge_pages(block, total);
    block->owner = owner;
    block->size_class = size_class;
  }
  return block;
}

static void give_back(sinter_scratch *scratch, sinter_scratch_block *block) {
  block->following = scratch->free_blocks[block->size_class];
  scratch->free_blocks[block->size_class] = block;
}

static int add_free_block(sinter_scratch *scratch, unsigned size_class) {
  sinter_scratch_block *block = make_block(scratch, size_class);
  ++scratch->system_allocations;
  if (!block)
    return 0;
  give_back(scratch, block);
  ++scratch->blocks[size_class];
  return 1;
}

/* Enough for a thread to hold `count` blocks that it took at this level, and for all threads to do
 * so at once if it is in a loop. Outside of loops there is one thread. */
static int reserve(sinter_scratch *scratch, unsigned size_class, int32_t level, uint16_t count) {
  int32_t needed = 0;
  for (int32_t l = 0; l < SINTER_SCRATCH_LEVELS; ++l) {
    const uint16_t most = scratch->most_held[l][size_class];
    needed += (l == level && count > most ? count : most) * (l == 0 ? 1 : scratch->threads);
  }
  while (scratch->blocks[size_class] < needed)
    if (!add_free_block(scratch, size_class))
      return 0;
  if (count > scratch->most_held[level][size_class])
    scratch->most_held[level][size_class] = count;
  /* None is left when several threads run steps in one pool. */
  return scratch->free_blocks[size_class] || add_free_block(scratch, size_class);
}

static sinter_scratch_block *take_block(sinter_scratch *scratch, unsigned size_class) {
  const int32_t deepest = SINTER_SCRATCH_LEVELS - 1;
  const int32_t level = current_level < deepest ? current_level : deepest;
  sinter_scratch_block *block = NULL;
  pthread_mutex_lock(&scratch->mutex);
  if (reserve(scratch, size_class, level, (uint16_t)(held[level][size_class] + 1))) {
    block = scratch->free_blocks[size_class];
    scratch->free_blocks[size_class] = block->following;
    block->level = level;
    ++held[level][size_class];
  }
  pthread_mutex_unlock(&scratch->mutex);
  return block;
}

void *sinter_scratch_allocate(sinter_scratch *scratch, size_t bytes) {
  if (bytes > SIZE_MAX / 4)
    return NULL;
  const unsigned size_class = size_class_of(bytes);
  sinter_scratch_block *block =
      scratch ? take_block(scratch, size_class) : make_block(NULL, size_class);
  return block ? block + 1 : NULL;
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
  --held[block->level][block->size_class];
  give_back(owner, block);
  pthread_mutex_unlock(&owner->mutex);
}
