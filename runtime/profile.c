#include "runtime/profile.h"

#include "runtime/device.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

double sinter_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double sinter_profile_begin(void) { return sinter_seconds(); }

static const float *value_address(const sinter_context *context, const sinter_value *value,
                                  const sinter_watch *watch) {
  const int64_t arena_fixed = context->model->phases[watch->phase].arena_fixed;
  switch ((sinter_region)value->region) {
  case SINTER_REGION_PARAMETERS:
    return (const float *)(context->kernel_parameters + value->offset);
  case SINTER_REGION_FIXED:
    return (const float *)(context->arena + value->offset);
  case SINTER_REGION_PER_SAMPLE:
    return (const float *)(context->arena + arena_fixed + watch->batch * value->offset);
  }
  return NULL;
}

static int64_t position_of(const sinter_value *value, int64_t i) {
  return value->row == 0 ? i : i / value->row * value->pitch + value->begin + i % value->row;
}

/* The first element that is not finite, or -1. */
static int64_t find_nonfinite(const sinter_value *value, const float *elements, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    if (!isfinite(elements[position_of(value, i)]))
      return i;
  return -1;
}

/* The value from a device, or NULL where it cannot be had. */
static float *copy_value(const sinter_context *context, const sinter_value *value,
                         const float *elements, int64_t count) {
  const size_t bytes = (size_t)(position_of(value, count - 1) + 1) * sizeof(float);
  float *copy = malloc(bytes);
  if (copy && context->model->device->read(context->device->queue, copy, (uintptr_t)elements,
                                           bytes) == SINTER_OK)
    return copy;
  free(copy);
  return NULL;
}

static void search_output(const sinter_context *context, int32_t kernel,
                          const sinter_value *value) {
  sinter_watch *watch = context->watch;
  const float *elements = value_address(context, value, watch);
  const int64_t count = value->elements_fixed + watch->batch * value->elements_per_sample;
  float *copy = context->device ? copy_value(context, value, elements, count) : NULL;
  if (context->device)
    elements = copy;
  const int64_t found = elements ? find_nonfinite(value, elements, count) : -1;
  if (found >= 0) {
    watch->kernel = kernel;
    watch->element = found;
    watch->value = elements[position_of(value, found)];
  }
  free(copy);
}

static void search_outputs(sinter_context *context, int32_t kernel) {
  const sinter_watch *watch = context->watch;
  const sinter_kernel *ran = &context->model->phases[watch->phase].kernels[kernel];
  for (int32_t o = 0; o < ran->output_count && watch->kernel < 0; ++o)
    search_output(context, kernel, &ran->outputs[o]);
}

void sinter_profile_end(sinter_context *context, int32_t kernel, double begin, int32_t last) {
  sinter_profile_entry *entry = &context->profile[kernel];
  if (context->device) /* a failure is the step's to report */
    context->model->device->wait(context);
  entry->begun += sinter_seconds() - begin;
  if (!last)
    return;
  const double seconds = entry->begun;
  entry->begun = 0;
  if (entry->samples && entry->calls < entry->sample_capacity)
    entry->samples[entry->calls] = seconds;
  if (entry->calls == 0 || seconds < entry->min_seconds)
    entry->min_seconds = seconds;
  ++entry->calls;
  entry->seconds += seconds;
  if (context->watch && context->watch->kernel < 0)
    search_outputs(context, kernel);
}
