/* What runs kernels beside the processor: one record of functions a kind of device, which alone
 * know its driver. A program refers to the kind that it has variants for, and so links no other.
 *
 * All of a context's work on a device is done in order. Of a step's functions the first that fails
 * leaves its status and its text; those after it do nothing, and the step's end returns that
 * status.
 */
#pragma once

#include "runtime/sinter_runtime.h"

typedef struct sinter_device_kind {
  const char *name; /* "OpenCL" */
  /* Whether there is a device here that runs the kernels of this variant. Both may be called
   * without a context; a device, once found, is the same one for the whole process. */
  int (*probe)(const char *variant);
  const char *(*device_name)(void); /* after a probe that returned SINTER_OK */

  /* The order of work of one context. */
  int (*open_queue)(void **queue);
  void (*close_queue)(void *queue);
  int (*finish)(void *queue);
  /* What is written from is left alone until the work is finished; reading waits. */
  int (*write)(void *queue, uint64_t to, const void *from, size_t bytes);
  int (*read)(void *queue, void *to, uint64_t from, size_t bytes);

  /* Memory of the device, 128-aligned; no queue may be using what is released. */
  int (*allocate)(size_t bytes, uint64_t *address);
  void (*release)(uint64_t address);

  /* device.c's, for all kinds; here so that programs without a device do not link them. */
  int (*attach)(sinter_context *, size_t parameter_bytes, size_t arena_bytes);
  void (*detach)(sinter_context *);
  void (*parameters_changed)(sinter_context *);
  int (*fetch_parameters)(const sinter_context *);
  int (*wait)(sinter_context *);
} sinter_device_kind;

extern const sinter_device_kind sinter_opencl;

/* Memory that kernels ask for while they run. */
typedef struct sinter_device_block {
  uint64_t address;
  size_t bytes;
  int in_use;
} sinter_device_block;

typedef struct sinter_device {
  const sinter_device_kind *kind;
  void *queue;
  int status;       /* the running step's first failure */
  int is_stale;     /* the parameters there are older than the context's */
  int is_ahead;     /* or newer */
  int32_t phase;    /* of the running step */
  uint64_t numbers; /* then the parameters: one piece of memory */
  uint64_t arena;   /* then the caller's tensors */
  size_t parameter_bytes;
  sinter_device_block *blocks;
  int32_t block_count, block_capacity;
} sinter_device;

/* The fields of a sinter_device_kind of these names. */
int sinter_device_attach(sinter_context *context, size_t parameter_bytes, size_t arena_bytes);
void sinter_device_detach(sinter_context *context);
void sinter_device_parameters_changed(sinter_context *context);
int sinter_device_fetch_parameters(const sinter_context *context);
int sinter_device_wait(sinter_context *context);
