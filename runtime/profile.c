#include "runtime/profile.h"

#include <math.h>
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
    return (const float *)(context->parameters + value->offset);
  case SINTER_REGION_FIXED:
    return (const float *)(context->arena + value->offset);
  case SINTER_REGION_PER_SAMPLE:
    return (const float *)(context->arena + arena_fixed + watch->batch * value->offset);
  }
  return NULL;
}

static float element_at(const sinter_value *value, const float *elements, int64_t i) {
  if (value->row == 0)
    return elements[i];
  return elements[i / value->row * value->pitch + value->begin + i % value->row];
}

static void search_outputs(sinter_context *context, int32_t kernel) {
  sinter_watch *watch = context->watch;
  const sinter_kernel *ran = &context->model->phases[watch->phase].kernels[kernel];
  for (int32_t o = 0; o < ran->output_count && watch->kernel < 0; ++o) {
    const sinter_value *value = &ran->outputs[o];
    const float *elements = value_address(context, value, watch);
    const int64_t count = value->elements_fixed + watch->batch * value->elements_per_sample;
    for (int64_t i = 0; i < count; ++i) {
      const float element = element_at(value, elements, i);
      if (!isfinite(element)) {
        watch->kernel = kernel;
        watch->element = i;
        watch->value = element;
        break;
      }
    }
  }
}

void sinter_profile_end(sinter_context *context, int32_t kernel, double begin, int32_t last) {
  sinter_profile_entry *entry = &context->profile[kernel];
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
