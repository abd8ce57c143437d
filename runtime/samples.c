#include "runtime/samples.h"

#include "runtime/scaling.h"

void sinter_samples_open(sinter_samples *samples, const sinter_model *model, const char *where,
                         uint64_t seed) {
  *samples = (sinter_samples){.model = model, .where = where, .seed = seed};
  sinter_scale_table(model->data, samples->table);
}

void sinter_samples_close(sinter_samples *samples) {
  sinter_source_release(&samples->sources[0]);
  sinter_source_release(&samples->sources[1]);
}

/* A program whose script has no data trains on all of the training files and tests on all of the
 * test files. */
static sinter_subset find_subset(const sinter_model *model, sinter_part_kind kind) {
  static const sinter_subset defaults[] = {
      {SINTER_TRAIN_FILES, 0, NULL}, {-1, 0, NULL}, {SINTER_TEST_FILES, 0, NULL}};
  if (!model->data)
    return defaults[kind];
  const sinter_subset *parts[] = {&model->data->train, &model->data->validation,
                                  &model->data->test};
  return *parts[kind];
}

int sinter_samples_part(sinter_samples *samples, sinter_part_kind kind, sinter_part *part) {
  *part = (sinter_part){.source = NULL};
  const sinter_subset subset = find_subset(samples->model, kind);
  if (subset.source < 0)
    return SINTER_OK;
  sinter_source *source = &samples->sources[subset.source];
  int status = SINTER_OK;
  if (!source->x.data)
    status = sinter_source_load(samples->model, samples->where, subset.source, source);
  if (status == SINTER_OK)
    status = sinter_subset_indices(&subset, source->x.dims[0], samples->seed, &part->indices);
  if (status == SINTER_OK)
    part->source = source;
  return status;
}

void sinter_part_release(sinter_part *part) { sinter_indices_release(&part->indices); }

int sinter_batch_allocate(sinter_batch *batch, const sinter_model *model, int32_t samples) {
  *batch = (sinter_batch){.inputs = {.data = NULL}};
  int status = sinter_buffers_allocate(&batch->inputs, model->inputs, model->input_count, samples);
  if (status == SINTER_OK)
    status = sinter_buffers_allocate(&batch->labels, model->labels, model->label_count, samples);
  if (status != SINTER_OK)
    sinter_batch_release(batch);
  return status;
}

void sinter_batch_release(sinter_batch *batch) {
  sinter_buffers_release(&batch->inputs);
  sinter_buffers_release(&batch->labels);
}
