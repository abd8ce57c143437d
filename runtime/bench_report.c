#include "runtime/bench.h"
#include "runtime/progress.h"

#include <math.h>
#include <string.h>

/* What is derived from a kernel's time. */
typedef struct rates {
  double gflops, gbps, peak_percent, share_percent;
  double roof_percent; /* of the speed that the peaks of computing and of memory allow */
} rates;

static double total_seconds(const sinter_measurement *m) {
  double sum = 0.0;
  for (int32_t k = 0; k < m->kernel_count; ++k)
    sum += m->kernels[k].median_seconds;
  return sum;
}

static rates derive(const sinter_measurement *m, const sinter_kernel_time *t) {
  const double total = total_seconds(m);
  rates r = {0.0, 0.0, 0.0, 0.0, 0.0};
  if (t->median_seconds > 0.0) {
    r.gflops = t->flops / t->median_seconds / 1e9;
    r.gbps = t->bytes / t->median_seconds / 1e9;
  }
  if (m->peaks.gflops > 0.0)
    r.peak_percent = 100.0 * r.gflops / m->peaks.gflops;
  if (m->peaks.gbps > 0.0)
    r.roof_percent = fmax(r.peak_percent, 100.0 * r.gbps / m->peaks.gbps);
  if (total > 0.0)
    r.share_percent = 100.0 * t->median_seconds / total;
  return r;
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

/* How many times as fast as before; 0 where that is not known. */
static double ratio(double before, double now) { return now > 0.0 ? before / now : 0.0; }

static void print_row(const widths *w, const char *name, const sinter_kernel_time *t,
                      const rates *r) {
  print_column(w->name, name);
  print_column(w->ops, t->kernel ? t->kernel->ops : "");
  print_column(w->algorithm, t->kernel ? t->kernel->algorithm : "");
  printf("%9.4f  %9.4f  %8.4f  %9.4f  %8.1f  %7.1f  %5.1f%%  %5.1f%%  %5.1f%%",
         t->median_seconds * 1e3, t->minimum_seconds * 1e3, t->deviation_seconds * 1e3,
         t->flops / 1e9, r->gflops, r->gbps, r->peak_percent, r->roof_percent, r->share_percent);
  if (t->before_seconds > 0.0)
    printf("  %9.4f  %6.2f", t->before_seconds * 1e3, ratio(t->before_seconds, t->median_seconds));
  printf("\n");
}

static void print_titles(const sinter_measurement *m, const widths *w) {
  printf("%-*s  %-*s  %-*s  %9s  %9s  %8s  %9s  %8s  %7s  %6s  %6s  %6s", w->name, "kernel", w->ops,
         "ops", w->algorithm, "algorithm", "ms", "min", "MAD", "GFLOP", "GFLOP/s", "GB/s", "peak",
         "roof", "share");
  if (m->earlier)
    printf("  %9s  %6s", "before", "ratio");
  printf("\n");
}

/* The sum of the kernels. MADs do not add up: the column has 0 there. */
static sinter_kernel_time sum_kernels(const sinter_measurement *m) {
  sinter_kernel_time sum = {.kernel = NULL};
  for (int32_t k = 0; k < m->kernel_count; ++k) {
    const sinter_kernel_time *t = &m->kernels[k];
    sum.median_seconds += t->median_seconds;
    sum.minimum_seconds += t->minimum_seconds;
    sum.flops += t->flops;
    sum.bytes += t->bytes;
  }
  return sum;
}

static void print_step(const sinter_measurement *m) {
  printf("\nstep: median %.4f ms, MAD %.4f, min %.4f, p90 %.4f, p99 %.4f; %.0f samples/s; "
         "peak memory %.1f MB\n",
         m->median * 1e3, m->deviation * 1e3, m->minimum * 1e3, m->p90 * 1e3, m->p99 * 1e3,
         m->batch / m->median, (double)m->peak_bytes / 1e6);
  if (m->earlier) {
    const double before = sinter_earlier_median(m->earlier);
    printf("before: median %.4f ms; %.2f times as fast now\n", before * 1e3,
           ratio(before, m->median));
  }
}

void sinter_print_measurement_text(const sinter_measurement *m) {
  const widths w = measure_widths(m);
  printf("%s, %s, target %s, variant %s, batch %d, %d thread%s, %zu runs\n", m->model->name,
         m->mode, m->model->target, m->variant, m->batch, m->threads, m->threads == 1 ? "" : "s",
         m->runs);
  printf("measured peaks: %.1f GFLOP/s (float32 multiply-add), %.1f GB/s (triad)\n\n",
         m->peaks.gflops, m->peaks.gbps);
  print_titles(m, &w);
  for (int32_t k = 0; k < m->kernel_count; ++k) {
    const rates r = derive(m, &m->kernels[k]);
    print_row(&w, m->kernels[k].kernel->name, &m->kernels[k], &r);
  }
  const sinter_kernel_time sum = sum_kernels(m);
  const rates total = derive(m, &sum);
  print_row(&w, "all kernels", &sum, &total);
  print_step(m);
}

static void print_csv_times(const sinter_measurement *m, const char *name,
                            const sinter_kernel_time *t) {
  const rates r = derive(m, t);
  printf("\"%s\",\"%s\",\"%s\",%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.4g,%.4g,%.4g,\"%s\"", name,
         t->kernel ? t->kernel->ops : "", t->kernel ? t->kernel->algorithm : "",
         t->median_seconds * 1e3, t->minimum_seconds * 1e3, t->deviation_seconds * 1e3,
         t->flops / 1e9, r.gflops, r.gbps, r.peak_percent, r.roof_percent, r.share_percent,
         m->variant);
}

static void print_csv_comparison(const sinter_measurement *m, double before, double now) {
  if (m->earlier && before > 0.0)
    printf(",%.6g,%.4g", before * 1e3, ratio(before, now));
  else if (m->earlier)
    printf(",,");
  printf("\n");
}

/* A row a kernel, one for all of them, and one for the step, which alone has the last columns. */
void sinter_print_measurement_csv(const sinter_measurement *m) {
  printf("name,ops,algorithm,median_ms,min_ms,mad_ms,gflop,gflops,gbps,peak_pct,roof_pct,share_pct,"
         "variant,p90_ms,p99_ms,samples_per_second,peak_bytes");
  puts(m->earlier ? ",before_ms,ratio" : "");
  for (int32_t k = 0; k < m->kernel_count; ++k) {
    const sinter_kernel_time *t = &m->kernels[k];
    print_csv_times(m, t->kernel->name, t);
    printf(",,,,");
    print_csv_comparison(m, t->before_seconds, t->median_seconds);
  }
  sinter_kernel_time sum = sum_kernels(m);
  print_csv_times(m, "all kernels", &sum);
  printf(",,,,");
  print_csv_comparison(m, 0.0, 0.0);
  sum.median_seconds = m->median;
  sum.minimum_seconds = m->minimum;
  sum.deviation_seconds = m->deviation;
  print_csv_times(m, "step", &sum);
  printf(",%.6g,%.6g,%.6g,%lld", m->p90 * 1e3, m->p99 * 1e3, m->batch / m->median,
         (long long)m->peak_bytes);
  print_csv_comparison(m, m->earlier ? sinter_earlier_median(m->earlier) : 0.0, m->median);
}

static json_t *kernel_json(const sinter_measurement *m, int32_t k) {
  const sinter_kernel_time *t = &m->kernels[k];
  const rates r = derive(m, t);
  json_t *object = json_object();
  json_object_set_new(object, "name", json_string(t->kernel->name));
  json_object_set_new(object, "ops", json_string(t->kernel->ops));
  json_object_set_new(object, "layers", json_string(t->kernel->layers));
  json_object_set_new(object, "algorithm", json_string(t->kernel->algorithm));
  json_object_set_new(object, "variant", json_string(m->variant));
  json_object_set_new(object, "median_ms", json_real(t->median_seconds * 1e3));
  json_object_set_new(object, "min_ms", json_real(t->minimum_seconds * 1e3));
  json_object_set_new(object, "mad_ms", json_real(t->deviation_seconds * 1e3));
  json_object_set_new(object, "gflop", json_real(t->flops / 1e9));
  json_object_set_new(object, "gflops", json_real(r.gflops));
  json_object_set_new(object, "gbps", json_real(r.gbps));
  json_object_set_new(object, "peak_pct", json_real(r.peak_percent));
  json_object_set_new(object, "roof_pct", json_real(r.roof_percent));
  json_object_set_new(object, "share_pct", json_real(r.share_percent));
  if (t->before_seconds > 0.0) {
    json_object_set_new(object, "before_ms", json_real(t->before_seconds * 1e3));
    json_object_set_new(object, "ratio", json_real(ratio(t->before_seconds, t->median_seconds)));
  }
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
  json_object_set_new(object, "mad_ms", json_real(m->deviation * 1e3));
  json_object_set_new(object, "p90_ms", json_real(m->p90 * 1e3));
  json_object_set_new(object, "p99_ms", json_real(m->p99 * 1e3));
  json_object_set_new(object, "samples_per_second", json_real(m->batch / m->median));
  json_object_set_new(object, "peak_bytes", json_integer(m->peak_bytes));
  json_object_set_new(object, "peak_gflops", json_real(m->peaks.gflops));
  json_object_set_new(object, "peak_gbps", json_real(m->peaks.gbps));
  if (m->earlier) {
    const double before = sinter_earlier_median(m->earlier);
    json_object_set_new(object, "before_ms", json_real(before * 1e3));
    json_object_set_new(object, "ratio", json_real(ratio(before, m->median)));
  }
  for (int32_t k = 0; k < m->kernel_count; ++k)
    json_array_append_new(kernels, kernel_json(m, k));
  json_object_set_new(object, "kernels", kernels);
  sinter_print_json(object);
}
