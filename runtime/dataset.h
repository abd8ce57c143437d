/* The samples that a program trains and evaluates on, found on disk, read whole and kept as read.
 */
#pragma once

#include "runtime/array.h"
#include "runtime/sinter_runtime.h"

typedef enum sinter_source_kind {
  SINTER_TRAIN_FILES = 0,
  SINTER_TEST_FILES = 1
} sinter_source_kind;

typedef struct sinter_source {
  sinter_array x, y;
} sinter_source;

/* `where`: --data, a folder or the name of a known data set; NULL: the script's own. Checks that
 * the samples fit the model's input and the labels its classes. */
int sinter_source_load(const sinter_model *model, const char *where, int32_t kind,
                       sinter_source *source);
void sinter_source_release(sinter_source *source);

/* Whether the rows of `x` are samples of the input: extents of 1 do not matter, and flat samples
 * have any shape. Pictures with their channels last become those that the input wants. */
int sinter_fit_samples(sinter_array *x, const sinter_port *input);

/* Copies samples indices[0..n) into x, scaled, and into each of the labels, as the model's steps
 * take them. `table` is sinter_scale_table's. */
void sinter_gather(const sinter_model *model, const sinter_source *source, const float table[256],
                   const int32_t *indices, int32_t n, float *x, void *const *labels);
