/* The metrics of every finished epoch. */
#pragma once

#include "runtime/sinter_runtime.h"

#include <jansson.h>

typedef struct sinter_history {
  const sinter_model *model;
  int32_t columns; /* metric_count training means, then as many of the validation */
  int has_validation;
  int32_t epochs, capacity;
  double *rows;
} sinter_history;

void sinter_history_open(sinter_history *history, const sinter_model *model, int has_validation);
void sinter_history_close(sinter_history *history);

int sinter_history_append(sinter_history *history, const double *record);
const double *sinter_history_row(const sinter_history *history, int32_t epoch);

/* A column is called prefix and metric: "" and "loss", "val_" and "accuracy". */
const char *sinter_history_prefix(const sinter_history *history, int32_t column);
const char *sinter_history_metric(const sinter_history *history, int32_t column);
/* Columns that hold something: without validation, the first half. */
int32_t sinter_history_used_columns(const sinter_history *history);

/* The whole table, atomically. */
int sinter_history_write_csv(const sinter_history *history, const char *path);

/* Exact to the bit, NaN and infinity included. */
json_t *sinter_history_to_json(const sinter_history *history);
int sinter_history_from_json(sinter_history *history, const json_t *rows, const char *path);

/* A double as JSON and back: hexadecimal text, because JSON has neither NaN nor infinity. */
json_t *sinter_exact_json(double value);
double sinter_exact_value(const json_t *text); /* NaN when it is no such text */
