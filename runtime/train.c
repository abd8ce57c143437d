#include "runtime/commands.h"
#include "runtime/memory_report.h"
#include "runtime/program_context.h"
#include "runtime/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static sinter_settings choose_settings(const sinter_model *model, const sinter_options *options) {
  const sinter_training *training = model->training;
  return (sinter_settings){
      .epochs = options->epochs > 0 ? (int32_t)options->epochs : training->epochs,
      .batch_size = sinter_batch_size(model, options),
      .seed = sinter_program_seed(options),
      .learning_rate =
          isnan(options->learning_rate) ? training->learning_rate : (float)options->learning_rate};
}

static int run_session(sinter_session *session, const sinter_options *options) {
  sinter_context *context = session->context;
  int status = options->weights ? sinter_load(context, options->weights) : SINTER_OK;
  if (status == SINTER_OK && options->resume)
    status = sinter_resume_read(session);
  if (status != SINTER_OK)
    return status;
  sinter_catch_interrupts();
  status = session->model->train_loop(context, session);
  if (status != SINTER_OK && sinter_was_interrupted())
    return sinter_fail(SINTER_ERROR_INPUT,
                       "interrupted in epoch %d; the %d finished are kept: go on with --resume",
                       session->history.epochs + 1, session->history.epochs);
  return status;
}

static int train_to(const sinter_model *model, const sinter_options *options,
                    const char *checkpoint) {
  const sinter_settings settings = choose_settings(model, options);
  sinter_program_context program;
  int status =
      sinter_program_context_open(&program, model, options, settings.batch_size, SINTER_TRAIN);
  if (status != SINTER_OK)
    return status;
  program.context->learning_rate = settings.learning_rate;
  if (!options->quiet)
    fprintf(stderr, "%s: %.1f MB of memory for a batch of %d\n", options->program,
            (double)sinter_measure_memory(model, settings.batch_size, SINTER_TRAIN).total / 1e6,
            settings.batch_size);
  sinter_session session;
  status = sinter_session_open(&session, program.context, options, &settings, checkpoint);
  if (status == SINTER_OK)
    status = run_session(&session, options);
  sinter_session_close(&session);
  sinter_program_context_close(&program);
  return status;
}

int sinter_train_command(const sinter_model *model, const sinter_options *options) {
  if (!model->training || !model->train_loop)
    return sinter_fail(SINTER_ERROR_INPUT, "%s was compiled for inference only", model->name);
  char *name = sinter_default_checkpoint(options);
  if (!name)
    return SINTER_ERROR_MEMORY;
  const int status = train_to(model, options, options->checkpoint ? options->checkpoint : name);
  free(name);
  return status;
}
