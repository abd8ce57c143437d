/* A context lies in one piece of the caller's memory: the sinter_context itself, the parameter
 * region, the arena. Only the thread pool and the kernels' scratch are allocated, and only here and
 * in the first step; and, for a variant of a device, what lies there.
 */
#include "runtime/device.h"
#include "runtime/huge_pages.h"
#include "runtime/ports.h"
#include "runtime/thread_pool.h"

#include <stdint.h>
#include <string.h>

const char *sinter_phase_name(int32_t phase) {
  static const char *const names[] = {"inference", "evaluation", "training"};
  return names[phase];
}

/* total += count * size, rounded up to the alignment; 0 on overflow or a negative size. */
static int add_bytes(size_t *total, int64_t count, int64_t size) {
  size_t bytes, rounded;
  return count >= 0 && size >= 0 && !__builtin_mul_overflow((size_t)count, (size_t)size, &bytes) &&
         !__builtin_add_overflow(bytes, (size_t)SINTER_ALIGNMENT - 1, &rounded) &&
         !__builtin_add_overflow(*total, rounded & ~((size_t)SINTER_ALIGNMENT - 1), total) &&
         *total <= (size_t)PTRDIFF_MAX;
}

static int64_t micro_batch_bytes(const sinter_phase_info *phase, int32_t max_batch) {
  int64_t bytes;
  const int overflow =
      __builtin_mul_overflow(phase->micro_batch_per_sample, (int64_t)max_batch, &bytes);
  return overflow || bytes > phase->micro_batch_most ? phase->micro_batch_most : bytes;
}

/* The largest of the phases that may run; they never run at once. 0 on overflow. */
static int arena_bytes(const sinter_model *model, int32_t max_batch, int32_t phase_limit,
                       size_t *bytes) {
  *bytes = 0;
  for (int32_t phase = 0; phase <= phase_limit; ++phase) {
    size_t needed = 0;
    if (!add_bytes(&needed, 1, model->phases[phase].arena_fixed) ||
        !add_bytes(&needed, max_batch, model->phases[phase].arena_per_sample) ||
        !add_bytes(&needed, 1, micro_batch_bytes(&model->phases[phase], max_batch)))
      return 0;
    if (needed > *bytes)
      *bytes = needed;
  }
  return 1;
}

/* Only training has a use for the optimizer's state, which comes last. */
static int64_t parameter_bytes(const sinter_model *model, int32_t phase_limit) {
  return phase_limit == SINTER_TRAIN ? model->parameter_bytes : model->trainable_bytes;
}

size_t sinter_context_bytes(const sinter_model *model, int32_t max_batch, int32_t phase_limit) {
  size_t total = 0, arena = 0;
  if (!model || max_batch < 1 || phase_limit < SINTER_INFER || phase_limit > SINTER_TRAIN)
    return 0;
  if (!arena_bytes(model, max_batch, phase_limit, &arena))
    return 0;
  if (model->device && model->device_variant_count == model->variant_count)
    arena = 0;
  if (!add_bytes(&total, 1, sizeof(sinter_context)) ||
      !add_bytes(&total, 1, parameter_bytes(model, phase_limit)) ||
      !add_bytes(&total, 1, (int64_t)arena))
    return 0;
  return total;
}

int32_t sinter_largest_batch(const sinter_model *model, int32_t phase_limit) {
  int32_t largest = INT32_MAX;
  for (int32_t phase = 0; phase <= phase_limit; ++phase)
    if (model->phases[phase].kernel_count > 0 && model->phases[phase].largest_batch < largest)
      largest = model->phases[phase].largest_batch;
  return largest;
}

static int check_creation(const sinter_model *model, const void *memory, size_t bytes,
                          int32_t max_batch, int32_t phase_limit, int32_t threads) {
  if (!model || !memory)
    return sinter_fail(SINTER_ERROR_INPUT, "%s is a null pointer", model ? "memory" : "model");
  if (model->abi != SINTER_ABI)
    return sinter_fail(SINTER_ERROR_INTERNAL, "the model has interface %u, the runtime %u",
                       model->abi, SINTER_ABI);
  if (max_batch < 1)
    return sinter_fail(SINTER_ERROR_INPUT, "the largest batch must be at least 1, got %d",
                       max_batch);
  if (phase_limit < SINTER_INFER || phase_limit > SINTER_TRAIN)
    return sinter_fail(SINTER_ERROR_INPUT, "the phase must be 0, 1 or 2, got %d", phase_limit);
  if (model->phases[phase_limit].kernel_count == 0)
    return sinter_fail(SINTER_ERROR_INPUT, "%s was compiled without %s", model->name,
                       sinter_phase_name(phase_limit));
  if (max_batch > sinter_largest_batch(model, phase_limit))
    return sinter_fail(SINTER_ERROR_INPUT,
                       "a batch of %d is too large for %s of %s: its kernels take up to %d samples",
                       max_batch, sinter_phase_name(phase_limit), model->name,
                       sinter_largest_batch(model, phase_limit));
  if (threads < 0 || threads > SINTER_MAX_THREADS)
    return sinter_fail(SINTER_ERROR_INPUT, "threads must be in 0..%d, got %d", SINTER_MAX_THREADS,
                       threads);
  if ((uintptr_t)memory % SINTER_ALIGNMENT != 0)
    return sinter_fail(SINTER_ERROR_INPUT, "the context's memory must be %d-byte aligned",
                       SINTER_ALIGNMENT);
  const size_t needed = sinter_context_bytes(model, max_batch, phase_limit);
  if (needed == 0)
    return sinter_fail(SINTER_ERROR_MEMORY, "a batch of %d needs more memory than can be addressed",
                       max_batch);
  if (bytes < needed)
    return sinter_fail(SINTER_ERROR_MEMORY, "a batch of %d needs %zu bytes of memory, got %zu",
                       max_batch, needed, bytes);
  return SINTER_OK;
}

static size_t round_up(size_t bytes) {
  return (bytes + SINTER_ALIGNMENT - 1) & ~((size_t)SINTER_ALIGNMENT - 1);
}

static int attach_device(sinter_context *context, size_t region) {
  const sinter_model *model = context->model;
  size_t arena;
  if (!sinter_is_device_variant(model, context->variant))
    return SINTER_OK;
  if (!arena_bytes(model, context->max_batch, context->phase_limit, &arena))
    return sinter_fail(SINTER_ERROR_MEMORY, "a batch of %d needs more memory than can be addressed",
                       context->max_batch);
  return model->device->attach(context, region, arena);
}

int sinter_context_create(const sinter_model *model, void *memory, size_t bytes, int32_t max_batch,
                          int32_t phase_limit, int32_t threads, uint64_t seed,
                          sinter_context **out) {
  if (!out)
    return sinter_fail(SINTER_ERROR_INPUT, "the place for the context is a null pointer");
  *out = NULL;
  int status = check_creation(model, memory, bytes, max_batch, phase_limit, threads);
  if (status != SINTER_OK)
    return status;
  const int32_t variant = sinter_choose_model_variant(model);
  if (variant < 0)
    return SINTER_ERROR_INPUT;
  if (threads == 0)
    threads = sinter_processor_count();
  struct sinter_pool *pool = sinter_pool_create(threads);
  if (!pool)
    return SINTER_ERROR_MEMORY;

  sinter_use_huge_pages(memory, sinter_context_bytes(model, max_batch, phase_limit));
  unsigned char *base = memory;
  sinter_context *context = memory;
  memset(context, 0, sizeof *context);
  context->model = model;
  context->parameters = base + round_up(sizeof *context);
  const size_t region = (size_t)parameter_bytes(model, phase_limit);
  context->arena = context->parameters + round_up(region);
  context->kernel_parameters = context->parameters;
  context->numbers = (unsigned char *)context->rng;
  context->pool = pool;
  context->rng[0] = (uint32_t)seed;
  context->rng[1] = (uint32_t)(seed >> 32);
  context->learning_rate = model->training ? model->training->learning_rate : 0.0f;
  context->variant = variant;
  context->max_batch = max_batch;
  context->phase_limit = phase_limit;
  context->threads = threads;
  memset(context->parameters, 0, region);
  sinter_initialize_parameters(context, seed);
  status = attach_device(context, region);
  if (status == SINTER_OK)
    *out = context;
  else
    sinter_context_destroy(context);
  return status;
}

void sinter_context_destroy(sinter_context *context) {
  if (!context)
    return;
  if (context->device)
    context->model->device->detach(context);
  sinter_pool_destroy(context->pool);
  context->pool = NULL;
}

int sinter_set_threads(sinter_context *context, int32_t threads) {
  if (!context)
    return sinter_fail(SINTER_ERROR_INPUT, "the context is a null pointer");
  if (threads < 0 || threads > SINTER_MAX_THREADS)
    return sinter_fail(SINTER_ERROR_INPUT, "threads must be in 0..%d, got %d", SINTER_MAX_THREADS,
                       threads);
  if (threads == 0)
    threads = sinter_processor_count();
  const int status = sinter_pool_resize(context->pool, threads);
  context->threads = status == SINTER_OK ? threads : 1;
  return status;
}

void sinter_parameters_changed(sinter_context *context) {
  context->prepared = 0;
  if (context->device)
    context->model->device->parameters_changed(context);
}

int sinter_fetch_parameters(const sinter_context *context) {
  return context->device ? context->model->device->fetch_parameters(context) : SINTER_OK;
}

void sinter_begin_train_step(sinter_context *context) {
  context->prepared = 0;
  context->rng[2] = (uint32_t)context->steps_done;
  context->rng[3] = (uint32_t)(context->steps_done >> 32);
  context->step = (float)(context->steps_done + 1);
  ++context->steps_done;
}

static int check_batch(const sinter_context *context, int32_t n, int32_t phase) {
  if (!context)
    return sinter_fail(SINTER_ERROR_INPUT, "the context is a null pointer");
  const sinter_model *model = context->model;
  if (model->phases[phase].kernel_count == 0)
    return sinter_fail(SINTER_ERROR_INPUT, "%s was compiled without %s", model->name,
                       sinter_phase_name(phase));
  if (phase > context->phase_limit)
    return sinter_fail(SINTER_ERROR_INPUT, "this context was created for %s, not for %s",
                       sinter_phase_name(context->phase_limit), sinter_phase_name(phase));
  if (!model->batched && n != 1)
    return sinter_fail(SINTER_ERROR_INPUT, "%s has no batch dimension: n must be 1, got %d",
                       model->name, n);
  if (n < 1 || n > context->max_batch)
    return sinter_fail(SINTER_ERROR_INPUT, "the batch must be in 1..%d, got %d", context->max_batch,
                       n);
  return SINTER_OK;
}

static int check_buffers(const sinter_port *ports, int32_t count, void *const *buffers) {
  for (int32_t p = 0; p < count; ++p) {
    const size_t alignment = ports[p].element == SINTER_U8 ? 1 : sizeof(float);
    if (!buffers[p])
      return sinter_fail(SINTER_ERROR_INPUT, "%s is a null pointer", ports[p].argument);
    if ((uintptr_t)buffers[p] % alignment != 0)
      return sinter_fail(SINTER_ERROR_INPUT, "%s is not %zu-byte aligned", ports[p].argument,
                         alignment);
  }
  return SINTER_OK;
}

static int check_classes(const sinter_port *port, const void *labels, int32_t n) {
  const int32_t *indices = labels;
  const int64_t count = sinter_port_elements(port, n);
  for (int64_t i = 0; i < count && port->class_limit > 0; ++i)
    if (indices[i] < 0 || indices[i] >= port->class_limit)
      return sinter_fail(SINTER_ERROR_INPUT, "label %lld is %d, but the classes are 0..%lld",
                         (long long)i, indices[i], (long long)port->class_limit - 1);
  return SINTER_OK;
}

int sinter_check_infer(const sinter_context *context, void *const *inputs, int32_t n,
                       void *const *outputs) {
  int status = check_batch(context, n, SINTER_INFER);
  if (status == SINTER_OK)
    status = check_buffers(context->model->inputs, context->model->input_count, inputs);
  if (status == SINTER_OK)
    status = check_buffers(context->model->outputs, context->model->output_count, outputs);
  return status;
}

int sinter_check_step(const sinter_context *context, int32_t phase, void *const *inputs,
                      void *const *labels, int32_t n) {
  int status = check_batch(context, n, phase);
  if (status != SINTER_OK)
    return status;
  const sinter_model *model = context->model;
  status = check_buffers(model->inputs, model->input_count, inputs);
  if (status == SINTER_OK)
    status = check_buffers(model->labels, model->label_count, labels);
  for (int32_t p = 0; p < model->label_count && status == SINTER_OK; ++p)
    status = check_classes(&model->labels[p], labels[p], n);
  return status;
}
