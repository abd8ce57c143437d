/* The descriptors of arrays that kernels take. */
#pragma once

#include <stdint.h>

/* Halide's halide_dimension_t and halide_buffer_t (HalideRuntime.h of Halide 14). */
typedef struct sinter_halide_dimension {
  int32_t min, extent, stride;
  uint32_t flags;
} sinter_halide_dimension;

typedef struct sinter_halide_buffer {
  uint64_t device;
  const void *device_interface;
  uint8_t *host;
  uint64_t flags;
  uint32_t type;
  int32_t dimensions;
  sinter_halide_dimension *dim;
  void *padding;
} sinter_halide_buffer;
