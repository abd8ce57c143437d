/* bench --compare: an earlier measurement beside this one. */
#include "runtime/bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static size_t read_some(void *buffer, size_t size, void *file) {
  const size_t count = fread(buffer, 1, size, file);
  return ferror((FILE *)file) ? (size_t)-1 : count;
}

static int is_kernel(const json_t *kernel) {
  return json_is_string(json_object_get(kernel, "name")) &&
         json_is_number(json_object_get(kernel, "median_ms"));
}

static int is_measurement(const json_t *json) {
  const json_t *kernels = json_object_get(json, "kernels");
  int valid = json_is_number(json_object_get(json, "median_ms")) && json_is_array(kernels);
  for (size_t k = 0; k < json_array_size(kernels); ++k)
    valid = valid && is_kernel(json_array_get(kernels, k));
  return valid;
}

int sinter_read_earlier(const char *path, json_t **earlier) {
  FILE *file = fopen(path, "rb");
  if (!file)
    return sinter_fail(SINTER_ERROR_INPUT, "%s: %s", path, strerror(errno));
  json_error_t error;
  *earlier = json_load_callback(read_some, file, JSON_REJECT_DUPLICATES, &error);
  fclose(file);
  if (!*earlier)
    return sinter_fail(SINTER_ERROR_INPUT, "%s:%d:%d: %s", path, error.line, error.column,
                       error.text);
  if (is_measurement(*earlier))
    return SINTER_OK;
  json_decref(*earlier);
  *earlier = NULL;
  return sinter_fail(SINTER_ERROR_INPUT, "%s is not what bench --json prints", path);
}

double sinter_earlier_median(const json_t *earlier) {
  return json_number_value(json_object_get(earlier, "median_ms")) / 1e3;
}

/* The earlier time of the `nth` kernel of that name. */
static double earlier_seconds(const json_t *kernels, const char *name, int nth) {
  for (size_t k = 0; k < json_array_size(kernels); ++k) {
    const json_t *kernel = json_array_get(kernels, k);
    if (strcmp(json_string_value(json_object_get(kernel, "name")), name) == 0 && nth-- == 0)
      return json_number_value(json_object_get(kernel, "median_ms")) / 1e3;
  }
  return 0.0;
}

static void note_text(const sinter_measurement *m, const char *path, const char *key,
                      const char *now) {
  const char *before = json_string_value(json_object_get(m->earlier, key));
  if (before && strcmp(before, now) != 0)
    fprintf(stderr, "note: %s: %s %s, here %s\n", path, key, before, now);
}

static void note_number(const sinter_measurement *m, const char *path, const char *key,
                        int32_t now) {
  const json_t *before = json_object_get(m->earlier, key);
  if (json_is_integer(before) && json_integer_value(before) != now)
    fprintf(stderr, "note: %s: %s %lld, here %d\n", path, key,
            (long long)json_integer_value(before), now);
}

void sinter_match_earlier(sinter_measurement *m, const char *path) {
  const json_t *kernels = json_object_get(m->earlier, "kernels");
  for (int32_t k = 0; k < m->kernel_count; ++k) {
    const char *name = m->kernels[k].kernel->name;
    int same = 0;
    for (int32_t other = 0; other < k; ++other)
      same += strcmp(m->kernels[other].kernel->name, name) == 0;
    m->kernels[k].before_seconds = earlier_seconds(kernels, name, same);
  }
  note_text(m, path, "model", m->model->name);
  note_text(m, path, "mode", m->mode);
  note_text(m, path, "target", m->model->target);
  note_text(m, path, "variant", m->variant);
  note_number(m, path, "batch", m->batch);
  note_number(m, path, "threads", m->threads);
}
