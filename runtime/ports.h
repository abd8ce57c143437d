/* The tensors that a model takes and gives: their sizes, and memory for them. */
#pragma once

#include "runtime/sinter_runtime.h"

/* Elements for a batch of n; a port without a batch has as many for any n. */
int64_t sinter_port_elements(const sinter_port *port, int64_t n);
/* Elements of one sample. */
int64_t sinter_sample_elements(const sinter_port *port);

/* The extents with the batch, if there is one; returns the rank. */
int32_t sinter_port_shape(const sinter_port *port, int64_t n, int64_t dims[SINTER_MAX_RANK]);
/* "[n, 28, 28, 1]", for messages; returns `text`. */
const char *sinter_format_port(const sinter_port *port, char *text, size_t text_bytes);

/* Whether files of samples can feed the model: one float32 input with a batch, and labels with one.
 * SINTER_ERROR_INPUT naming the inputs when not. */
int sinter_check_fed_by_files(const sinter_model *model);

/* Random elements of ports[p], others than any other port's: in [0, 1) for float32, 0 or 1 for
 * whole numbers, which suit as indices, too. */
void sinter_fill_random(const sinter_port *ports, int32_t p, uint64_t seed, int64_t count,
                        void *to);

/* One buffer a port. */
typedef struct sinter_buffers {
  void **data;
  int32_t count;
} sinter_buffers;

/* For batches of up to n, zeroed; empty on failure. */
int sinter_buffers_allocate(sinter_buffers *buffers, const sinter_port *ports, int32_t count,
                            int64_t n);
void sinter_buffers_release(sinter_buffers *buffers); /* an empty (zeroed) one is allowed */
