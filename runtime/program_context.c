#define _GNU_SOURCE /* asprintf */
#include "runtime/program_context.h"

#include "runtime/device.h"
#include "runtime/huge_pages.h"
#include "runtime/memory_report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t sinter_program_seed(const sinter_options *options) {
  return options->seed >= 0 ? (uint64_t)options->seed : 0;
}

int sinter_uses_bf16(const sinter_model *model) {
  json_t *description = json_loads(model->description, 0, NULL);
  const char *precision = json_string_value(json_object_get(description, "precision"));
  const int result = precision && strcmp(precision, "bf16") == 0;
  json_decref(description);
  return result;
}

/* The results are right without AMX, too, but a program in f32 would be faster. */
static void note_slow_bf16(const sinter_model *model, const sinter_options *options) {
  const sinter_bf16_arithmetic arithmetic = sinter_choose_bf16();
  if (arithmetic != SINTER_BF16_AMX && sinter_uses_bf16(model))
    fprintf(stderr, "%s: note: no AMX here: bf16 numbers are multiplied by %s\n", options->program,
            sinter_bf16_name(arithmetic));
}

/* A program that could run on a device and does not, though nobody asked for that. */
static void note_missing_device(const sinter_context *context, const sinter_options *options) {
  const sinter_model *model = context->model;
  if (!model->device || context->device || getenv("SINTER_VARIANT"))
    return;
  const char *variant = model->variant_names[context->variant];
  model->device->probe(model->variant_names[model->variant_count - 1]); /* for its text */
  fprintf(stderr, "%s: note: %s: running on the processor (%s)\n", options->program,
          sinter_last_error(), variant);
}

int sinter_program_context_open(sinter_program_context *program, const sinter_model *model,
                                const sinter_options *options, int32_t max_batch, int32_t phase) {
  *program = (sinter_program_context){.context = NULL};
  if (model->phases[phase].kernel_count == 0)
    return sinter_fail(SINTER_ERROR_INPUT, "%s was compiled for inference only", model->name);
  if (sinter_check_memory(model, max_batch, phase, "") != SINTER_OK)
    return SINTER_ERROR_MEMORY;
  const size_t bytes = sinter_context_bytes(model, max_batch, phase);
  program->memory = bytes > 0 ? aligned_alloc(sinter_page_alignment(bytes), bytes) : NULL;
  if (!program->memory)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory: a batch of %d needs %zu bytes",
                       max_batch, bytes);
  const int32_t threads = options->threads > 0 ? (int32_t)options->threads : 0;
  const int status = sinter_context_create(model, program->memory, bytes, max_batch, phase, threads,
                                           sinter_program_seed(options), &program->context);
  if (status != SINTER_OK) {
    sinter_program_context_close(program);
    return status;
  }
  if (phase != SINTER_TRAIN)
    note_slow_bf16(model, options);
  note_missing_device(program->context, options);
  return status;
}

void sinter_program_context_close(sinter_program_context *program) {
  sinter_context_destroy(program->context);
  free(program->memory);
  *program = (sinter_program_context){.context = NULL};
}

char *sinter_default_checkpoint(const sinter_options *options) {
  char *path;
  if (asprintf(&path, "%s.safetensors", options->program) >= 0)
    return path;
  sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  return NULL;
}

/* Weights that someone has trained, or none that anyone could. */
static int has_weights(const sinter_model *model) {
  for (int32_t p = 0; p < model->parameter_count; ++p)
    if (model->parameters[p].initial)
      return 1;
  return model->parameter_count == 0;
}

static int load_weights(sinter_context *context, const sinter_options *options, int warns) {
  if (options->weights)
    return sinter_load(context, options->weights);
  char *path = sinter_default_checkpoint(options);
  if (!path)
    return SINTER_ERROR_MEMORY;
  int status = SINTER_OK;
  if (access(path, F_OK) == 0)
    status = sinter_load(context, path);
  else if (warns && !has_weights(context->model))
    fprintf(stderr, "%s: warning: no %s here: the weights are untrained\n", options->program, path);
  free(path);
  return status;
}

int sinter_program_load_weights(sinter_context *context, const sinter_options *options) {
  return load_weights(context, options, /*warns=*/1);
}

int sinter_program_load_any_weights(sinter_context *context, const sinter_options *options) {
  return load_weights(context, options, /*warns=*/0);
}
