/* The parts of the data that a program's script names: training, validation, test. */
#pragma once

#include "runtime/dataset.h"
#include "runtime/ports.h"
#include "runtime/subset.h"

typedef enum sinter_part_kind {
  SINTER_PART_TRAIN,
  SINTER_PART_VALIDATION,
  SINTER_PART_TEST
} sinter_part_kind;

typedef struct sinter_part {
  const sinter_source *source; /* NULL: the script has no such part */
  sinter_indices indices;
} sinter_part;

typedef struct sinter_samples {
  const sinter_model *model;
  const char *where; /* --data or NULL */
  uint64_t seed;
  float table[256];
  sinter_source sources[2]; /* read when first asked for */
} sinter_samples;

void sinter_samples_open(sinter_samples *samples, const sinter_model *model, const char *where,
                         uint64_t seed);
void sinter_samples_close(sinter_samples *samples);

/* A part that the script does not name comes out empty, without an error. */
int sinter_samples_part(sinter_samples *samples, sinter_part_kind kind, sinter_part *part);
void sinter_part_release(sinter_part *part);

/* A batch as the model's steps take it. */
typedef struct sinter_batch {
  sinter_buffers inputs, labels;
} sinter_batch;

int sinter_batch_allocate(sinter_batch *batch, const sinter_model *model, int32_t samples);
void sinter_batch_release(sinter_batch *batch);
