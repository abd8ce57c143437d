#include "runtime/progress.h"

#include "runtime/profile.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_SECONDS 0.1
#define BAR_WIDTH 24
#define LEAST_BAR_WIDTH 4

void sinter_progress_open(sinter_progress *progress, int json, int quiet) {
  FILE *out = json ? stderr : stdout;
  *progress = (sinter_progress){
      .json = json, .quiet = quiet, .out = out, .terminal = !quiet && isatty(fileno(out))};
}

void sinter_progress_clear(sinter_progress *progress) {
  if (!progress->bar_shown)
    return;
  fputs("\r\x1b[K", progress->out);
  fflush(progress->out);
  progress->bar_shown = 0;
}

void sinter_progress_note(sinter_progress *progress, const char *format, ...) {
  if (progress->quiet)
    return;
  sinter_progress_clear(progress);
  va_list arguments;
  va_start(arguments, format);
  vfprintf(progress->out, format, arguments);
  va_end(arguments);
  fputc('\n', progress->out);
  fflush(progress->out);
}

void sinter_progress_epoch(sinter_progress *progress, int32_t epoch, int32_t epochs,
                           int64_t samples) {
  progress->epoch = epoch;
  progress->epochs = epochs;
  progress->samples = samples;
  progress->begun = progress->drawn = sinter_seconds();
}

static int terminal_columns(FILE *out) {
  struct winsize size;
  return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* Four decimals, unless the number is so large that they would say nothing. */
static const char *format_metric(double value, char text[32]) {
  snprintf(text, 32, fabs(value) < 1e5 ? "%.4f" : "%.4g", value);
  return text;
}

/* What stands right of the bar. */
static int format_figures(const sinter_progress *progress, const sinter_model *model,
                          int64_t samples, const double *sums, double rate, char *text,
                          size_t capacity) {
  char number[32];
  int used = 0;
  for (int32_t m = 0; m < model->metric_count && used < (int)capacity; ++m)
    used += snprintf(text + used, capacity - (size_t)used, " %s %s", model->metric_names[m],
                     format_metric(sums[m] / (double)samples, number));
  if (used < (int)capacity)
    used += snprintf(text + used, capacity - (size_t)used, "  %.0f samples/s  ETA %.0f s", rate,
                     (double)(progress->samples - samples) / rate);
  return used;
}

/* One line that never wraps: a wrapped one could not be redrawn. The bar gives way first. */
static void draw(sinter_progress *progress, const sinter_model *model, int64_t samples,
                 const double *sums, double rate) {
  char epoch[32] = "", figures[256];
  FILE *out = progress->out;
  if (progress->epochs > 0)
    snprintf(epoch, sizeof epoch, "epoch %d/%d", progress->epoch + 1, progress->epochs);
  const int room = terminal_columns(out) - 1 - (int)strlen(epoch);
  const int length = format_figures(progress, model, samples, sums, rate, figures, sizeof figures);
  const int bar = room - length - 3 < BAR_WIDTH ? room - length - 3 : BAR_WIDTH;
  fprintf(out, "\r%s", epoch);
  if (bar >= LEAST_BAR_WIDTH) {
    const int filled = (int)((double)samples / (double)progress->samples * bar);
    fputs(" [", out);
    for (int cell = 0; cell < bar; ++cell)
      fputc(cell < filled ? '=' : cell == filled ? '>' : ' ', out);
    fputc(']', out);
  }
  fprintf(out, "%.*s\x1b[K", room > 0 ? room : 0, figures);
  fflush(out);
}

void sinter_progress_samples(sinter_progress *progress, const sinter_model *model, int64_t samples,
                             const double *sums) {
  const double now = sinter_seconds();
  if (!progress->terminal || now - progress->drawn < REDRAW_SECONDS)
    return;
  progress->drawn = now;
  progress->bar_shown = 1;
  draw(progress, model, samples, sums, (double)samples / (now - progress->begun));
}

json_t *sinter_number_json(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

void sinter_print_json(json_t *object) {
  char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
  json_decref(object);
  puts(text ? text : "null");
  fflush(stdout);
  free(text);
}

static void print_epoch_json(const sinter_history *history, double seconds) {
  json_t *object = json_object();
  json_object_set_new(object, "epoch", json_integer(history->epochs));
  for (int32_t c = 0; c < sinter_history_used_columns(history); ++c) {
    json_t *name =
        json_sprintf("%s%s", sinter_history_prefix(history, c), sinter_history_metric(history, c));
    json_object_set_new(object, json_string_value(name),
                        sinter_number_json(sinter_history_row(history, history->epochs - 1)[c]));
    json_decref(name);
  }
  json_object_set_new(object, "seconds", json_real(seconds));
  sinter_print_json(object);
}

static void print_row(FILE *out, const sinter_history *history, int32_t epoch) {
  char number[32];
  for (int32_t c = 0; c < sinter_history_used_columns(history); ++c)
    fprintf(out, "%s %s%s %s", c > 0 ? "," : "", sinter_history_prefix(history, c),
            sinter_history_metric(history, c),
            format_metric(sinter_history_row(history, epoch)[c], number));
}

void sinter_progress_epoch_done(sinter_progress *progress, const sinter_history *history,
                                double seconds, int is_best) {
  sinter_progress_clear(progress);
  if (progress->json)
    print_epoch_json(history, seconds);
  if (progress->quiet)
    return;
  fprintf(progress->out, "epoch %d/%d:", history->epochs, progress->epochs);
  print_row(progress->out, history, history->epochs - 1);
  fprintf(progress->out, ", %.1f s, %.0f samples/s%s\n", seconds,
          (double)progress->samples / seconds, is_best ? ", best" : "");
  fflush(progress->out);
}

static void print_result_json(const sinter_history *history, const sinter_training_result *result) {
  json_t *object = json_object();
  json_object_set_new(object, "best_epoch", json_integer(result->best_epoch));
  json_object_set_new(object, "epochs", json_integer(history->epochs));
  json_object_set_new(object, "stopped_early", json_boolean(result->stopped_early));
  json_object_set_new(object, "seconds", json_real(result->seconds));
  json_object_set_new(object, "checkpoint", json_string(result->checkpoint));
  sinter_print_json(object);
}

void sinter_progress_training_done(sinter_progress *progress, const sinter_history *history,
                                   const sinter_training_result *result) {
  sinter_progress_clear(progress);
  if (progress->json)
    print_result_json(history, result);
  if (progress->quiet)
    return;
  if (result->stopped_early)
    fprintf(progress->out, "stopped early after %d epochs\n", history->epochs);
  if (result->best_epoch > 0 && result->best_epoch <= history->epochs) {
    fprintf(progress->out, "best epoch %d:", result->best_epoch);
    print_row(progress->out, history, result->best_epoch - 1);
    fprintf(progress->out, "; %s in %s\n",
            result->holds_latest ? "the last epoch's weights" : "weights", result->checkpoint);
  }
  fflush(progress->out);
}
