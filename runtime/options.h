/* The command line of a generated program. */
#pragma once

#include "runtime/sinter_runtime.h"

typedef enum sinter_command {
  SINTER_COMMAND_TRAIN,
  SINTER_COMMAND_EVALUATE,
  SINTER_COMMAND_PREDICT,
  SINTER_COMMAND_RUN,
  SINTER_COMMAND_BENCH,
  SINTER_COMMAND_INFO,
  SINTER_COMMAND_HELP,
  SINTER_COMMAND_VERSION
} sinter_command;

#define SINTER_MOST_TEXTS 256

/* The values of an option that may be given again and again. */
typedef struct sinter_texts {
  const char *values[SINTER_MOST_TEXTS];
  int32_t count;
} sinter_texts;

/* Numbers are -1 (NaN for the floats), texts NULL, when not given. */
typedef struct sinter_options {
  sinter_command command;
  const char *program; /* the file name of argv[0]: what default file names begin with */
  const char *data, *weights, *checkpoint, *history, *split, *compare;
  sinter_texts inputs, outputs, expected;
  int64_t epochs, batch_size, threads, top, seed;
  double learning_rate, rtol, atol, time;
  int resume, json, csv, quiet, cold, train;
  char *const *files;
  int file_count;
} sinter_options;

/* SINTER_OK, or SINTER_ERROR_USAGE with the reason in sinter_last_error(). Permutes argv. */
int sinter_options_parse(sinter_options *options, int argc, char **argv);

/* The usage text: of all commands, or, after `PROGRAM COMMAND --help`, of that one's options. */
void sinter_options_print_help(const sinter_options *options, const sinter_model *model);
