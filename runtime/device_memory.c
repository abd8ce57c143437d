/* What Halide's host code asks of every device (Halide 14's signatures). The arguments of kernels
 * are on the device already; what they need besides are arrays in between, which are taken from
 * blocks that the context keeps, so that once a step has run, the next ones allocate nothing; and
 * arrays of constants, which stay there for the whole process.
 */
#include "runtime/device.h"
#include "runtime/halide_buffer.h"
#include "runtime/thread_pool.h"

#include <pthread.h>
#include <stdlib.h>

struct halide_device_interface_t;

int halide_copy_to_device(void *user_context, sinter_halide_buffer *buffer,
                          const struct halide_device_interface_t *interface);
int halide_device_malloc(void *user_context, sinter_halide_buffer *buffer,
                         const struct halide_device_interface_t *interface);
int halide_device_free(void *user_context, sinter_halide_buffer *buffer);
void halide_device_free_as_destructor(void *user_context, void *buffer);

static size_t buffer_bytes(const sinter_halide_buffer *buffer) {
  const size_t element = (buffer->type >> 8 & 0xff) / 8; /* halide_type_t's bits */
  size_t last = 0;
  for (int32_t d = 0; d < buffer->dimensions; ++d)
    last += (size_t)(buffer->dim[d].extent - 1) * (size_t)buffer->dim[d].stride;
  return (last + 1) * element;
}

/* An array of constants, in the code of a kernel: there is one of it, whatever the context. */
static pthread_mutex_t constants = PTHREAD_MUTEX_INITIALIZER;

static int copy_constants(sinter_device *device, sinter_halide_buffer *buffer) {
  const size_t bytes = buffer_bytes(buffer);
  uint64_t address;
  int status = device->kind->allocate(bytes, &address);
  if (status != SINTER_OK)
    return status;
  status = device->kind->write(device->queue, address, buffer->host, bytes);
  if (status == SINTER_OK)
    status = device->kind->finish(device->queue); /* other contexts' queues are about to read it */
  if (status == SINTER_OK)
    buffer->device = address;
  else
    device->kind->release(address);
  return status;
}

int halide_copy_to_device(void *user_context, sinter_halide_buffer *buffer,
                          const struct halide_device_interface_t *interface) {
  (void)interface;
  sinter_device *device = sinter_pool_device(user_context);
  pthread_mutex_lock(&constants);
  if (device->status == SINTER_OK && buffer->device == 0)
    device->status = copy_constants(device, buffer);
  pthread_mutex_unlock(&constants);
  return 0;
}

/* The smallest free block that is large enough, or NULL. */
static sinter_device_block *find_block(sinter_device *device, size_t bytes) {
  sinter_device_block *best = NULL;
  for (int32_t b = 0; b < device->block_count; ++b) {
    sinter_device_block *block = &device->blocks[b];
    if (!block->in_use && block->bytes >= bytes && (!best || block->bytes < best->bytes))
      best = block;
  }
  return best;
}

static int add_block(sinter_device *device, size_t bytes, sinter_device_block **added) {
  if (device->block_count == device->block_capacity) {
    const int32_t capacity = 2 * device->block_capacity + 8;
    sinter_device_block *blocks = realloc(device->blocks, (size_t)capacity * sizeof *blocks);
    if (!blocks)
      return sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
    device->blocks = blocks;
    device->block_capacity = capacity;
  }
  sinter_device_block *block = &device->blocks[device->block_count];
  *block = (sinter_device_block){.bytes = bytes};
  const int status = device->kind->allocate(bytes, &block->address);
  if (status != SINTER_OK)
    return status;
  ++device->block_count;
  *added = block;
  return SINTER_OK;
}

/* A buffer that has an address is an argument. */
int halide_device_malloc(void *user_context, sinter_halide_buffer *buffer,
                         const struct halide_device_interface_t *interface) {
  (void)interface;
  sinter_device *device = sinter_pool_device(user_context);
  if (device->status != SINTER_OK || buffer->device != 0)
    return 0;
  const size_t bytes = buffer_bytes(buffer);
  sinter_device_block *block = find_block(device, bytes);
  if (!block)
    device->status = add_block(device, bytes, &block);
  if (block) {
    block->in_use = 1;
    buffer->device = block->address;
  }
  return 0;
}

/* Kernels that are yet to run use it before those that are given it next: all run in order. */
int halide_device_free(void *user_context, sinter_halide_buffer *buffer) {
  sinter_device *device = sinter_pool_device(user_context);
  for (int32_t b = 0; b < device->block_count; ++b)
    if (device->blocks[b].address == buffer->device)
      device->blocks[b].in_use = 0;
  buffer->device = 0;
  return 0;
}

void halide_device_free_as_destructor(void *user_context, void *buffer) {
  halide_device_free(user_context, buffer);
}
