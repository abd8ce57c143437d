#define _GNU_SOURCE /* open_memstream */
#include "runtime/history.h"

#include "runtime/atomic_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sinter_history_open(sinter_history *history, const sinter_model *model, int has_validation) {
  *history = (sinter_history){
      .model = model, .columns = 2 * model->metric_count, .has_validation = has_validation};
}

void sinter_history_close(sinter_history *history) { free(history->rows); }

int sinter_history_append(sinter_history *history, const double *record) {
  if (history->epochs == history->capacity) {
    const int32_t capacity = history->capacity * 2 + 16;
    double *rows =
        realloc(history->rows, (size_t)capacity * (size_t)history->columns * sizeof *rows);
    if (!rows)
      return sinter_fail(SINTER_ERROR_MEMORY, "out of memory for the history");
    history->rows = rows;
    history->capacity = capacity;
  }
  memcpy(history->rows + (size_t)history->epochs * (size_t)history->columns, record,
         (size_t)history->columns * sizeof *record);
  ++history->epochs;
  return SINTER_OK;
}

const double *sinter_history_row(const sinter_history *history, int32_t epoch) {
  return history->rows + (size_t)epoch * (size_t)history->columns;
}

const char *sinter_history_prefix(const sinter_history *history, int32_t column) {
  return column < history->model->metric_count ? "" : "val_";
}

const char *sinter_history_metric(const sinter_history *history, int32_t column) {
  return history->model->metric_names[column % history->model->metric_count];
}

int32_t sinter_history_used_columns(const sinter_history *history) {
  return history->has_validation ? history->columns : history->columns / 2;
}

static void print_csv(const sinter_history *history, FILE *out) {
  const int32_t columns = sinter_history_used_columns(history);
  fputs("epoch", out);
  for (int32_t c = 0; c < columns; ++c)
    fprintf(out, ",%s%s", sinter_history_prefix(history, c), sinter_history_metric(history, c));
  fputc('\n', out);
  for (int32_t e = 0; e < history->epochs; ++e) {
    fprintf(out, "%d", e + 1);
    for (int32_t c = 0; c < columns; ++c)
      fprintf(out, ",%.9g", sinter_history_row(history, e)[c]);
    fputc('\n', out);
  }
}

int sinter_history_write_csv(const sinter_history *history, const char *path) {
  char *text = NULL;
  size_t bytes;
  FILE *out = open_memstream(&text, &bytes);
  if (!out)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory writing %s", path);
  print_csv(history, out);
  const int failed = fclose(out) != 0;
  const int status = failed ? sinter_fail(SINTER_ERROR_MEMORY, "out of memory writing %s", path)
                            : sinter_write_file(path, text, strlen(text));
  free(text);
  return status;
}

json_t *sinter_exact_json(double value) {
  char text[40];
  snprintf(text, sizeof text, "%a", value);
  return json_string(text);
}

double sinter_exact_value(const json_t *text) {
  return json_is_string(text) ? strtod(json_string_value(text), NULL) : (double)NAN;
}

json_t *sinter_history_to_json(const sinter_history *history) {
  json_t *rows = json_array();
  for (int32_t e = 0; e < history->epochs; ++e) {
    json_t *row = json_array();
    for (int32_t c = 0; c < history->columns; ++c)
      json_array_append_new(row, sinter_exact_json(sinter_history_row(history, e)[c]));
    json_array_append_new(rows, row);
  }
  return rows;
}

int sinter_history_from_json(sinter_history *history, const json_t *rows, const char *path) {
  double record[2 * SINTER_MAX_METRICS];
  history->epochs = 0;
  for (size_t e = 0; e < json_array_size(rows); ++e) {
    const json_t *row = json_array_get(rows, e);
    if (json_array_size(row) != (size_t)history->columns)
      return sinter_fail(SINTER_ERROR_INPUT, "%s: epoch %zu has %zu metrics, the model %d", path,
                         e + 1, json_array_size(row), history->columns);
    for (int32_t c = 0; c < history->columns; ++c)
      record[c] = sinter_exact_value(json_array_get(row, (size_t)c));
    const int status = sinter_history_append(history, record);
    if (status != SINTER_OK)
      return status;
  }
  return SINTER_OK;
}
