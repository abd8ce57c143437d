#include "runtime/commands.h"
#include "runtime/program_context.h"
#include "runtime/progress.h"
#include "runtime/samples.h"

#include <string.h>

static int open_part(sinter_samples *samples, const char *split, sinter_part *part) {
  const sinter_part_kind kind = strcmp(split, "train") == 0 ? SINTER_PART_TRAIN
                                : strcmp(split, "val") == 0 ? SINTER_PART_VALIDATION
                                                            : SINTER_PART_TEST;
  const int status = sinter_samples_part(samples, kind, part);
  if (status == SINTER_OK && !part->source)
    return sinter_fail(SINTER_ERROR_INPUT, "the script of %s names no data for --split=%s",
                       samples->model->name, split);
  return status;
}

/* Sums of each metric over the samples of the part. */
static int sum_metrics(sinter_context *context, const sinter_samples *samples,
                       const sinter_part *part, sinter_progress *progress, double *sums) {
  const sinter_model *model = context->model;
  sinter_batch batch;
  int status = sinter_batch_allocate(&batch, model, context->max_batch);
  const int32_t count = part->indices.count;
  sinter_progress_epoch(progress, 0, 0, count);
  for (int32_t done = 0; done < count && status == SINTER_OK;) {
    const int32_t n = count - done < context->max_batch ? count - done : context->max_batch;
    float metrics[SINTER_MAX_METRICS];
    sinter_gather(model, part->source, samples->table, part->indices.values + done, n,
                  batch.inputs.data[0], batch.labels.data);
    status = model->eval_step(context, batch.inputs.data, batch.labels.data, n, metrics);
    for (int32_t m = 0; m < model->metric_count && status == SINTER_OK; ++m)
      sums[m] += (double)n * (double)metrics[m];
    done += n;
    if (status == SINTER_OK)
      sinter_progress_samples(progress, model, done, sums);
  }
  sinter_progress_clear(progress);
  sinter_batch_release(&batch);
  return status;
}

static void print_result(const sinter_model *model, const double *sums, int32_t samples, int json) {
  json_t *object = json_object();
  for (int32_t m = 0; m < model->metric_count; ++m) {
    const double mean = sums[m] / samples;
    if (json)
      json_object_set_new(object, model->metric_names[m], sinter_number_json(mean));
    else
      printf("%s %.4f, ", model->metric_names[m], mean);
  }
  json_object_set_new(object, "samples", json_integer(samples));
  if (json) {
    sinter_print_json(object);
    return;
  }
  json_decref(object);
  printf("%d samples\n", samples);
}

static int evaluate(sinter_context *context, const sinter_options *options) {
  sinter_samples samples;
  sinter_part part;
  sinter_progress progress;
  double sums[SINTER_MAX_METRICS] = {0};
  sinter_progress_open(&progress, options->json, options->quiet);
  sinter_samples_open(&samples, context->model, options->data, sinter_program_seed(options));
  int status = open_part(&samples, options->split ? options->split : "test", &part);
  if (status == SINTER_OK)
    status = sinter_program_load_weights(context, options);
  if (status == SINTER_OK)
    status = sum_metrics(context, &samples, &part, &progress, sums);
  if (status == SINTER_OK)
    print_result(context->model, sums, part.indices.count, options->json);
  sinter_part_release(&part);
  sinter_samples_close(&samples);
  return status;
}

int sinter_evaluate_command(const sinter_model *model, const sinter_options *options) {
  sinter_program_context program;
  int status = sinter_program_context_open(&program, model, options,
                                           sinter_batch_size(model, options), SINTER_EVAL);
  if (status == SINTER_OK)
    status = evaluate(program.context, options);
  sinter_program_context_close(&program);
  return status;
}
