/* What training prints: a bar that is redrawn on a terminal, else a line an epoch; with --json one
 * object a line on standard output and the rest on standard error.
 */
#pragma once

#include "runtime/history.h"

#include <stdio.h>

typedef struct sinter_progress {
  int json, quiet;
  int terminal; /* draw the bar */
  FILE *out;    /* of lines for people */
  int bar_shown;
  int32_t epoch, epochs;
  int64_t samples; /* of the running epoch */
  double begun, drawn;
} sinter_progress;

void sinter_progress_open(sinter_progress *progress, int json, int quiet);
void sinter_progress_clear(sinter_progress *progress); /* takes the bar away */
void sinter_progress_note(sinter_progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The bar of an epoch (or, with epochs 0, of an evaluation) of that many samples, and how far it
 * is; `sums` are the metrics' sums over the samples seen. */
void sinter_progress_epoch(sinter_progress *progress, int32_t epoch, int32_t epochs,
                           int64_t samples);
void sinter_progress_samples(sinter_progress *progress, const sinter_model *model, int64_t samples,
                             const double *sums);

void sinter_progress_epoch_done(sinter_progress *progress, const sinter_history *history,
                                double seconds, int is_best);

typedef struct sinter_training_result {
  int32_t best_epoch; /* from 1 */
  int stopped_early;
  int holds_latest; /* the checkpoint: the last epoch's weights, not the best one's */
  double seconds;
  const char *checkpoint;
} sinter_training_result;

void sinter_progress_training_done(sinter_progress *progress, const sinter_history *history,
                                   const sinter_training_result *result);

/* A finite number, else null: JSON has nothing else. */
json_t *sinter_number_json(double value);
/* One line of compact JSON on standard output; takes the object over. */
void sinter_print_json(json_t *object);
