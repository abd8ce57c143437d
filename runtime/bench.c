#include "runtime/bench.h"

#include "runtime/commands.h"
#include "runtime/ports.h"
#include "runtime/profile.h"
#include "runtime/program_context.h"
#include "runtime/samples.h"
#include "runtime/statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_UP_RUNS 3
#define LEAST_RUNS 5
#define MOST_RUNS 10000
#define DEFAULT_SECONDS 1.0
#define FLUSH_BYTES ((size_t)64 << 20) /* written between the runs of --cold */

typedef struct bench {
  sinter_context *context;
  int32_t phase, batch;
  sinter_batch data;
  sinter_buffers outputs;
  unsigned char *flush; /* NULL: warm runs */
  double *steps;        /* seconds of each run */
  size_t runs;
  double *kernel_samples; /* [kernel][MOST_RUNS] */
  int64_t peak_bytes;     /* the process's, when it had run */
  sinter_peaks peaks;
  json_t *earlier; /* of --compare */
} bench;

/* Class numbers run through the classes; dense labels are one-hot where they have a last extent. */
static void fill_labels(const sinter_port *port, int32_t batch, void *labels) {
  const int64_t row = port->rank > 0 ? port->dims[port->rank - 1] : 1;
  for (int64_t i = 0; i < sinter_port_elements(port, batch); ++i) {
    if (port->element == SINTER_I32)
      ((int32_t *)labels)[i] = (int32_t)(port->class_limit > 0 ? i % port->class_limit : 0);
    else if (port->element == SINTER_U8)
      ((uint8_t *)labels)[i] = (uint8_t)(i % 2);
    else
      ((float *)labels)[i] = row == 1 || i / row % row == i % row ? 1.0f : 0.0f;
  }
}

static void fill_batch(bench *b) {
  const sinter_model *model = b->context->model;
  for (int32_t p = 0; p < model->input_count; ++p)
    sinter_fill_random(model->inputs, p, 0, sinter_port_elements(&model->inputs[p], b->batch),
                       b->data.inputs.data[p]);
  for (int32_t p = 0; p < model->label_count; ++p)
    fill_labels(&model->labels[p], b->batch, b->data.labels.data[p]);
}

static int run_once(bench *b) {
  const sinter_model *model = b->context->model;
  void *const *inputs = b->data.inputs.data;
  float metrics[SINTER_MAX_METRICS];
  return b->phase == SINTER_TRAIN
             ? model->train_step(b->context, inputs, b->data.labels.data, b->batch, metrics)
             : model->infer(b->context, inputs, b->batch, b->outputs.data);
}

static int allocate(bench *b, int cold) {
  const sinter_model *model = b->context->model;
  const size_t kernels = (size_t)model->phases[b->phase].kernel_count;
  b->steps = malloc(MOST_RUNS * sizeof *b->steps);
  b->kernel_samples = malloc(kernels * MOST_RUNS * sizeof *b->kernel_samples);
  b->context->profile = calloc(kernels + 1, sizeof *b->context->profile);
  b->flush = cold ? malloc(FLUSH_BYTES) : NULL;
  if (!b->steps || !b->kernel_samples || !b->context->profile || (cold && !b->flush))
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory for the measurement");
  const int status = sinter_batch_allocate(&b->data, model, b->batch);
  return status == SINTER_OK
             ? sinter_buffers_allocate(&b->outputs, model->outputs, model->output_count, b->batch)
             : status;
}

static void release(bench *b) {
  free(b->context->profile);
  b->context->profile = NULL;
  sinter_buffers_release(&b->outputs);
  free(b->steps);
  free(b->kernel_samples);
  free(b->flush);
  json_decref(b->earlier);
  sinter_batch_release(&b->data);
}

/* Forgets the warm-up. */
static void reset_profile(bench *b) {
  for (int32_t k = 0; k < b->context->model->phases[b->phase].kernel_count; ++k)
    b->context->profile[k] = (sinter_profile_entry){
        .samples = b->kernel_samples + (size_t)k * MOST_RUNS, .sample_capacity = MOST_RUNS};
}

static int measure_runs(bench *b, double seconds) {
  int status = SINTER_OK;
  for (int run = 0; run < WARM_UP_RUNS && status == SINTER_OK; ++run)
    status = run_once(b);
  reset_profile(b);
  const double start = sinter_seconds();
  while (status == SINTER_OK && b->runs < MOST_RUNS &&
         (b->runs < LEAST_RUNS || sinter_seconds() - start < seconds)) {
    if (b->flush)
      memset(b->flush, (int)b->runs, FLUSH_BYTES);
    const double begin = sinter_seconds();
    status = run_once(b);
    b->steps[b->runs++] = sinter_seconds() - begin;
  }
  return status;
}

static void measure_kernel(const bench *b, int32_t k, sinter_kernel_time *time) {
  const sinter_kernel *kernel = &b->context->model->phases[b->phase].kernels[k];
  const sinter_profile_entry *entry = &b->context->profile[k];
  const size_t calls = entry->calls < MOST_RUNS ? (size_t)entry->calls : MOST_RUNS;
  sinter_sort(entry->samples, calls);
  *time = (sinter_kernel_time){
      .kernel = kernel,
      .median_seconds = sinter_quantile(entry->samples, calls, 0.5),
      .minimum_seconds = sinter_quantile(entry->samples, calls, 0),
      .deviation_seconds = sinter_median_deviation(entry->samples, calls),
      .flops = kernel->flops_fixed + b->batch * kernel->flops_per_sample,
      .bytes = kernel->bytes_fixed + b->batch * kernel->bytes_per_sample,
  };
}

static int report(bench *b, const sinter_options *options) {
  const sinter_model *model = b->context->model;
  sinter_sort(b->steps, b->runs);
  sinter_measurement measurement = {
      .model = model,
      .variant = model->variant_names[b->context->variant],
      .mode = sinter_phase_name(b->phase),
      .threads = b->context->threads,
      .batch = b->batch,
      .kernel_count = model->phases[b->phase].kernel_count,
      .runs = b->runs,
      .median = sinter_quantile(b->steps, b->runs, 0.5),
      .minimum = b->steps[0],
      .p90 = sinter_quantile(b->steps, b->runs, 0.9),
      .p99 = sinter_quantile(b->steps, b->runs, 0.99),
      .peak_bytes = b->peak_bytes,
      .peaks = b->peaks,
      .earlier = b->earlier,
  };
  measurement.deviation = sinter_median_deviation(b->steps, b->runs);
  measurement.kernels = calloc((size_t)measurement.kernel_count + 1, sizeof *measurement.kernels);
  if (!measurement.kernels)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory for the report");
  for (int32_t k = 0; k < measurement.kernel_count; ++k)
    measure_kernel(b, k, &measurement.kernels[k]);
  if (b->earlier)
    sinter_match_earlier(&measurement, options->compare);
  if (options->json)
    sinter_print_measurement_json(&measurement);
  else if (options->csv)
    sinter_print_measurement_csv(&measurement);
  else
    sinter_print_measurement_text(&measurement);
  free(measurement.kernels);
  return SINTER_OK;
}

/* Not getrusage's, which a compiler that became this program has left behind; 0: not told. */
static int64_t most_resident_bytes(void) {
  FILE *status = fopen("/proc/self/status", "r");
  char line[128];
  long long kilobytes = 0;
  while (status && fgets(line, sizeof line, status))
    if (sscanf(line, "VmHWM: %lld kB", &kilobytes) == 1)
      break;
  if (status)
    fclose(status);
  return kilobytes * 1024;
}

/* Peaks are measured on both sides of the runs, for the clock may change, or others use the
 * machine; and after the first run, because their arrays would count as the model's memory. */
static int measure_between_peaks(bench *b, double seconds) {
  int status = run_once(b);
  b->peak_bytes = most_resident_bytes();
  const sinter_peaks before = sinter_measure_peaks(b->context);
  if (status == SINTER_OK)
    status = measure_runs(b, seconds);
  const sinter_peaks after = sinter_measure_peaks(b->context);
  b->peaks = (sinter_peaks){fmax(before.gflops, after.gflops), fmax(before.gbps, after.gbps)};
  return status;
}

static int measure(sinter_context *context, const sinter_options *options, int32_t phase,
                   int32_t batch) {
  bench b = {.context = context, .phase = phase, .batch = batch};
  int status = options->compare ? sinter_read_earlier(options->compare, &b.earlier) : SINTER_OK;
  if (status == SINTER_OK)
    status = allocate(&b, options->cold);
  if (status == SINTER_OK) {
    fill_batch(&b);
    status = measure_between_peaks(&b, isnan(options->time) ? DEFAULT_SECONDS : options->time);
  }
  if (status == SINTER_OK)
    status = report(&b, options);
  release(&b);
  return status;
}

int sinter_bench_command(const sinter_model *model, const sinter_options *options) {
  const int32_t phase = options->train ? SINTER_TRAIN : SINTER_INFER;
  const int32_t batch = sinter_batch_size(model, options);
  sinter_program_context program;
  int status = sinter_program_context_open(&program, model, options, batch, phase);
  if (status == SINTER_OK)
    status = sinter_program_load_any_weights(program.context, options);
  if (status == SINTER_OK)
    status = measure(program.context, options, phase, batch);
  sinter_program_context_close(&program);
  return status;
}
