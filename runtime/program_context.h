/* The one context of a generated program, in memory of its own. */
#pragma once

#include "runtime/options.h"

typedef struct sinter_program_context {
  sinter_context *context;
  void *memory;
} sinter_program_context;

int sinter_program_context_open(sinter_program_context *program, const sinter_model *model,
                                const sinter_options *options, int32_t max_batch, int32_t phase);
void sinter_program_context_close(sinter_program_context *program);

/* Whether inference and evaluation multiply bf16 numbers (--precision=bf16). */
int sinter_uses_bf16(const sinter_model *model);

uint64_t sinter_program_seed(const sinter_options *options);

/* PROGRAM.safetensors, the default --checkpoint and --weights; malloc'ed, NULL when out of memory.
 */
char *sinter_default_checkpoint(const sinter_options *options);

/* Loads --weights, else the default checkpoint when it is there, else leaves the weights compiled
 * in (or, without any, the initial ones, which the user is told on standard error). */
int sinter_program_load_weights(sinter_context *context, const sinter_options *options);
/* The same without a word of initial weights, for what does not show their results. */
int sinter_program_load_any_weights(sinter_context *context, const sinter_options *options);
