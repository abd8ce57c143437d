#include "runtime/bench.h"
#include "runtime/progress.h"

#include <string.h>

/* What is derived from a kernel's time. */
typedef struct rates {
  double gflops, gbps, peak_percent, share_percent;
} rates;

static double total_seconds(const sinter_measurement *m) {
  double sum = 0.0;
  for (int32_t k = 0; k < m->kernel_count; ++k)
    sum += m->kernels[k].median_seconds;
  return sum;
}

static rates derive(const sinter_measurement *m, double seconds, double flops, double bytes) {
  const double total = total_seconds(m);
  rates r = {0.0, 0.0, 0.0, 0.0};
  if (seconds > 0.0) {
    r.gflops = flops / seconds / 1e9;
    r.gbps = bytes / seconds / 1e9;
  }
  if (m->peaks.gflops > 0.0)
    r.peak_percent = 100.0 * r.gflops / m->peaks.gflops;
  if (total > 0.0)
    r.share_percent = 100.0 * seconds / total;
  return r;
}

static rates kernel_rates(const sinter_measurement *m, int32_t k) {
  const sinter_kernel_time *t = &m->kernels[k];
  return derive(m, t->median_seconds, t->flops, t->bytes);
}

static void sum_work(const sinter_measurement *m, double *flops, double *bytes) {
  *flops = *bytes = 0.0;
  for (int32_t k = 0; k < m->kernel_count; ++k) {
    *flops += m->kernels[k].flops;
    *bytes += m->kernels[k].bytes;
  }
}

/* A fused kernel's name can be longer than a line; --csv and --json have it whole. */
#define WIDEST_COLUMN 44

/* Widths of the text columns, at least those of their titles. */
typedef struct widths {
  int name, ops, algorithm;
} widths;

static int wider(int width, const char *text) {
  const int length = (int)strlen(text);
  const int wanted = length < WIDEST_COLUMN ? length : WIDEST_COLUMN;
  return wanted > width ? wanted : width;
}

static widths measure_widths(const sinter_measurement *m) {
  widths w = {(int)strlen("kernel"), (int)strlen("ops"), (int)strlen("algorithm")};
  for (int32_t k = 0; k < m->kernel_count; ++k) {
    w.name = wider(w.name, m->kernels[k].kernel->name);
    w.ops = wider(w.ops, m->kernels[k].kernel->ops);
    w.algorithm = wider(w.algorithm, m->kernels[k].kernel->algorithm);
  }
  return w;
}

/* Too long a text loses its middle: names differ in their ends. */
static void print_column(int width, const char *text) {
  const int length = (int)strlen(text), head = width / 2 - 1, tail = width - head - 2;
  if (length <= width)
    printf("%-*s  ", width, text);
  else
    printf("%.*s..%s  ", head, text, text + length - tail);
}

static void print_row(const widths *w, const char *name, const char *ops, const char *algorithm,
                      double seconds, double flops, const rates *r) {
  print_column(w->name, name);
  print_column(w->ops, ops);
  print_column(w->algorithm, algorithm);
  printf("%9.4f  %9.4f  %8.1f  %7.1f  %5.1f%%  %5.1f%%\n", seconds * 1e3, flops / 1e9, r->gflops,
         r->gbps, r->peak_percent, r->share_percent);
}

void sinter_print_measurement_text(const sinter_measurement *m) {
  const widths w = measure_widths(m);
  printf("%s, %s, target %s, variant %s, batch %d, %d thread%s, %zu runs\n", m->model->name,
         m->mode, m->model->target, m->variant, m->batch, m->threads, m->threads == 1 ? "" : "s",
         m->runs);
  printf("measured peaks: %.1f GFLOP/s (float32 multiply-add), %.1f GB/s (triad)\n\n",
         m->peaks.gflops, m->peaks.gbps);
  printf("%-*s  %-*s  %-*s  %9s  %9s  %8s  %7s  %6s  %6s\n", w.name, "kernel", w.ops, "ops",
         w.algorithm, "algorithm", "ms", "GFLOP", "GFLOP/s", "GB/s", "peak", "share");
  for (int32_t k = 0; k < m->kernel_count; ++k) {
    const sinter_kernel_time *t = &m->kernels[k];
    const rates r = kernel_rates(m, k);
    print_row(&w, t->kernel->name, t->kernel->ops, t->kernel->algorithm, t->median_seconds,
              t->flops, &r);
  }
  double flops, bytes;
  sum_work(m, &flops, &bytes);
  const rates total = derive(m, total_seconds(m), flops, bytes);
  print_row(&w, "all kernels", "", "", total_seconds(m), flops, &total);
  printf("\nstep: median %.4f ms, min %.4f, p90 %.4f, p99 %.4f; %.0f samples/s\n", m->median * 1e3,
         m->minimum * 1e3, m->p90 * 1e3, m->p99 * 1e3, m->batch / m->median);
}

void sinter_print_measurement_csv(const sinter_measurement *m) {
  puts("name,ops,algorithm,median_ms,min_ms,gflop,gflops,gbps,peak_pct,share_pct");
  for (int32_t k = 0; k < m->kernel_count; ++k) {
    const sinter_kernel_time *t = &m->kernels[k];
    const rates r = kernel_rates(m, k);
    printf("\"%s\",\"%s\",\"%s\",%.6g,%.6g,%.6g,%.6g,%.6g,%.4g,%.4g\n", t->kernel->name,
           t->kernel->ops, t->kernel->algorithm, t->median_seconds * 1e3, t->minimum_seconds * 1e3,
           t->flops / 1e9, r.gflops, r.gbps, r.peak_percent, r.share_percent);
  }
}

static json_t *kernel_json(const sinter_measurement *m, int32_t k) {
  const sinter_kernel_time *t = &m->kernels[k];
  const rates r = kernel_rates(m, k);
  json_t *object = json_object();
  json_object_set_new(object, "name", json_string(t->kernel->name));
  json_object_set_new(object, "ops", json_string(t->kernel->ops));
  json_object_set_new(object, "layers", json_string(t->kernel->layers));
  json_object_set_new(object, "algorithm", json_string(t->kernel->algorithm));
  json_object_set_new(object, "median_ms", json_real(t->median_seconds * 1e3));
  json_object_set_new(object, "min_ms", json_real(t->minimum_seconds * 1e3));
  json_object_set_new(object, "gflop", json_real(t->flops / 1e9));
  json_object_set_new(object, "gflops", json_real(r.gflops));
  json_object_set_new(object, "gbps", json_real(r.gbps));
  json_object_set_new(object, "peak_pct", json_real(r.peak_percent));
  json_object_set_new(object, "share_pct", json_real(r.share_percent));
  return object;
}

void sinter_print_measurement_json(const sinter_measurement *m) {
  json_t *object = json_object(), *kernels = json_array();
  json_object_set_new(object, "model", json_string(m->model->name));
  json_object_set_new(object, "target", json_string(m->model->target));
  json_object_set_new(object, "variant", json_string(m->variant));
  json_object_set_new(object, "threads", json_integer(m->threads));
  json_object_set_new(object, "batch", json_integer(m->batch));
  json_object_set_new(object, "mode", json_string(m->mode));
  json_object_set_new(object, "runs", json_integer((json_int_t)m->runs));
  json_object_set_new(object, "median_ms", json_real(m->median * 1e3));
  json_object_set_new(object, "min_ms", json_real(m->minimum * 1e3));
  json_object_set_new(object, "p90_ms", json_real(m->p90 * 1e3));
  json_object_set_new(object, "p99_ms", json_real(m->p99 * 1e3));
  json_object_set_new(object, "peak_gflops", json_real(m->peaks.gflops));
  json_object_set_new(object, "peak_gbps", json_real(m->peaks.gbps));
  for (int32_t k = 0; k < m->kernel_count; ++k)
    json_array_append_new(kernels, kernel_json(m, k));
  json_object_set_new(object, "kernels", kernels);
  sinter_print_json(object);
}
