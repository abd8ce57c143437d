/* A context's part on a device: memory for the plan's regions and for the caller's tensors, and
 * what a step does around its kernels.
 */
#include "runtime/device.h"

#include "runtime/ports.h"
#include "runtime/thread_pool.h"

#include <stddef.h>
#include <stdlib.h>

/* rng, learning_rate and step of a context, as kernels read them. */
#define NUMBERS_BYTES (offsetof(sinter_context, variant) - offsetof(sinter_context, rng))

static size_t round_up(size_t bytes) {
  return (bytes + SINTER_ALIGNMENT - 1) & ~((size_t)SINTER_ALIGNMENT - 1);
}

static size_t port_bytes(const sinter_port *port, int32_t n) {
  return (size_t)sinter_port_elements(port, n) * (port->element == SINTER_U8 ? 1 : sizeof(float));
}

/* Where each port's tensor begins behind `address`; returns where the last one ends. */
static uint64_t place_ports(const sinter_port *ports, int32_t count, int32_t max_batch,
                            uint64_t address, void **places) {
  for (int32_t p = 0; p < count; ++p) {
    places[p] = (void *)(uintptr_t)address; /* NOLINT(performance-no-int-to-ptr) */
    address += round_up(port_bytes(&ports[p], max_batch));
  }
  return address;
}

/* All ports, from `address` on; also without memory, for the size. */
static uint64_t place_tensors(sinter_context *context, uint64_t address) {
  const sinter_model *model = context->model;
  const sinter_device_tensors *tensors = &context->device_tensors;
  const int32_t n = context->max_batch;
  address = place_ports(model->inputs, model->input_count, n, address, tensors->inputs);
  address = place_ports(model->outputs, model->output_count, n, address, tensors->outputs);
  return place_ports(model->labels, model->label_count, n, address, tensors->labels);
}

static int allocate_tables(sinter_context *context, sinter_device **device) {
  const sinter_model *model = context->model;
  const size_t ports =
      (size_t)model->input_count + (size_t)model->output_count + (size_t)model->label_count;
  sinter_device_tensors *tensors = &context->device_tensors;
  *device = calloc(1, sizeof **device);
  tensors->inputs = calloc(ports + 1, sizeof *tensors->inputs);
  if (!*device || !tensors->inputs) {
    free(*device);
    free(tensors->inputs);
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  }
  tensors->outputs = tensors->inputs + model->input_count;
  tensors->labels = tensors->outputs + model->output_count;
  return SINTER_OK;
}

static int allocate_regions(sinter_context *context, size_t arena_bytes) {
  sinter_device *device = context->device;
  const size_t before_parameters = round_up(NUMBERS_BYTES);
  int status =
      device->kind->allocate(before_parameters + device->parameter_bytes, &device->numbers);
  if (status == SINTER_OK)
    status = device->kind->allocate(round_up(arena_bytes) + (size_t)place_tensors(context, 0),
                                    &device->arena);
  if (status != SINTER_OK)
    return status;
  place_tensors(context, device->arena + round_up(arena_bytes));
  context->numbers = (unsigned char *)(uintptr_t)device->numbers;
  context->kernel_parameters = context->numbers + before_parameters;
  context->arena = (unsigned char *)(uintptr_t)device->arena;
  return SINTER_OK;
}

int sinter_device_attach(sinter_context *context, size_t parameter_bytes, size_t arena_bytes) {
  sinter_device *device;
  int status = allocate_tables(context, &device);
  if (status != SINTER_OK)
    return status;
  context->device = device;
  device->kind = context->model->device;
  device->parameter_bytes = parameter_bytes;
  device->is_stale = 1;
  status = device->kind->open_queue(&device->queue);
  if (status == SINTER_OK)
    status = allocate_regions(context, arena_bytes);
  if (status != SINTER_OK)
    sinter_device_detach(context);
  else
    sinter_pool_set_device(context->pool, device);
  return status;
}

void sinter_device_detach(sinter_context *context) {
  sinter_device *device = context->device;
  const sinter_device_kind *kind = device->kind;
  if (device->queue) {
    kind->finish(device->queue);
    kind->close_queue(device->queue);
  }
  for (int32_t b = 0; b < device->block_count; ++b)
    kind->release(device->blocks[b].address);
  if (device->numbers)
    kind->release(device->numbers);
  if (device->arena)
    kind->release(device->arena);
  free(device->blocks);
  free(context->device_tensors.inputs);
  free(device);
  context->device = NULL;
}

void sinter_device_parameters_changed(sinter_context *context) {
  context->device->is_stale = 1;
  context->device->is_ahead = 0;
}

int sinter_device_fetch_parameters(const sinter_context *context) {
  sinter_device *device = context->device;
  if (!device->is_ahead)
    return SINTER_OK;
  const int status =
      device->kind->read(device->queue, context->parameters, (uintptr_t)context->kernel_parameters,
                         device->parameter_bytes);
  device->is_ahead = status != SINTER_OK;
  return status;
}

int sinter_device_wait(sinter_context *context) {
  return context->device->kind->finish(context->device->queue);
}

static void write_to(sinter_device *device, const void *to, const void *from, size_t bytes) {
  if (device->status == SINTER_OK && bytes > 0)
    device->status = device->kind->write(device->queue, (uintptr_t)to, from, bytes);
}

static void read_from(sinter_device *device, void *to, const void *from, size_t bytes) {
  if (device->status == SINTER_OK && bytes > 0)
    device->status = device->kind->read(device->queue, to, (uintptr_t)from, bytes);
}

int sinter_device_begin(sinter_context *context, int32_t phase, void *const *inputs,
                        void *const *labels, int32_t n) {
  const sinter_model *model = context->model;
  const sinter_device_tensors *tensors = &context->device_tensors;
  sinter_device *device = context->device;
  device->status = SINTER_OK;
  device->phase = phase;
  write_to(device, context->numbers, context->rng, NUMBERS_BYTES);
  if (device->is_stale)
    write_to(device, context->kernel_parameters, context->parameters, device->parameter_bytes);
  for (int32_t p = 0; p < model->input_count; ++p)
    write_to(device, tensors->inputs[p], inputs[p], port_bytes(&model->inputs[p], n));
  for (int32_t p = 0; p < model->label_count && phase != SINTER_INFER; ++p)
    write_to(device, tensors->labels[p], labels[p], port_bytes(&model->labels[p], n));
  if (device->status == SINTER_OK)
    device->is_stale = 0;
  return device->status;
}

static int end(sinter_context *context) {
  sinter_device *device = context->device;
  device->is_ahead = device->is_ahead || device->phase == SINTER_TRAIN;
  if (device->status == SINTER_OK)
    device->status = device->kind->finish(device->queue);
  if (device->status != SINTER_OK)
    context->prepared = 0; /* it may be incomplete */
  return device->status;
}

int sinter_device_end_infer(sinter_context *context, int32_t n, void *const *outputs) {
  const sinter_model *model = context->model;
  for (int32_t p = 0; p < model->output_count; ++p)
    read_from(context->device, outputs[p], context->device_tensors.outputs[p],
              port_bytes(&model->outputs[p], n));
  return end(context);
}

int sinter_device_end_step(sinter_context *context, const float *const *metric_addresses,
                           float *metrics) {
  for (int32_t m = 0; m < context->model->metric_count && metrics; ++m)
    read_from(context->device, &metrics[m], metric_addresses[m], sizeof(float));
  return end(context);
}
