#include "runtime/commands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

int32_t sinter_batch_size(const sinter_model *model, const sinter_options *options) {
  if (options->batch_size > 0)
    return (int32_t)options->batch_size;
  if (!model->batched)
    return 1;
  return model->training && model->training->batch_size > 0 ? model->training->batch_size : 32;
}

static int run_command(const sinter_model *model, const sinter_options *options) {
  switch (options->command) {
  case SINTER_COMMAND_TRAIN:
    return sinter_train_command(model, options);
  case SINTER_COMMAND_EVALUATE:
    return sinter_evaluate_command(model, options);
  case SINTER_COMMAND_PREDICT:
    return sinter_predict_command(model, options);
  case SINTER_COMMAND_RUN:
    return sinter_run_command(model, options);
  case SINTER_COMMAND_BENCH:
    return sinter_bench_command(model, options);
  case SINTER_COMMAND_INFO:
    return sinter_info_command(model, options);
  case SINTER_COMMAND_HELP:
    sinter_options_print_help(options, model);
    return SINTER_OK;
  case SINTER_COMMAND_VERSION:
    printf("%s, compiled by sinter %s for %s\n", model->name, SINTER_VERSION, model->target);
    return SINTER_OK;
  }
  return sinter_fail(SINTER_ERROR_INTERNAL, "unknown command %d", options->command);
}

static int exit_code(int status) {
  if (status == SINTER_OK || status == SINTER_ERROR_USAGE || status == SINTER_ERROR_INTERNAL)
    return status;
  return 1;
}

int sinter_main(const sinter_model *model, int argc, char **argv) {
  signal(SIGXFSZ, SIG_IGN); /* a file that grows too large is a failed write, not a death */
  sinter_options options;
  int status = sinter_options_parse(&options, argc, argv);
  if (status == SINTER_OK)
    status = run_command(model, &options);
  if ((fflush(stdout) != 0 || ferror(stdout)) && status == SINTER_OK)
    status = sinter_fail(SINTER_ERROR_IO, "cannot write the output: %s", strerror(errno));
  if (status != SINTER_OK)
    fprintf(stderr, "%s: error: %s\n", options.program, sinter_last_error());
  if (status == SINTER_ERROR_USAGE)
    fprintf(stderr, "`%s --help` shows the usage\n", options.program);
  return exit_code(status);
}
