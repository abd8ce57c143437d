#define _GNU_SOURCE /* asprintf */
#include "runtime/dataset.h"

#include "runtime/parameters.h"
#include "runtime/ports.h"
#include "runtime/scaling.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- where the files are ------------------------------------------------------------------- */

typedef struct known_dataset {
  const char *name, *script_name; /* "fashion-mnist" and Keras's "fashion_mnist" */
  const char *folder;             /* of the Debian package, or NULL */
  const char *remedy;
} known_dataset;

static const known_dataset known_datasets[] = {
    {"fashion-mnist", "fashion_mnist", "/usr/share/datasets/fashion-mnist",
     "install Debian's dataset-fashion-mnist (apt install dataset-fashion-mnist)"},
    {"mnist", "mnist", NULL, "download the four IDX files of MNIST"},
};

static const known_dataset *find_known(const char *name) {
  for (size_t d = 0; d < sizeof known_datasets / sizeof *known_datasets; ++d)
    if (strcmp(known_datasets[d].name, name) == 0 ||
        strcmp(known_datasets[d].script_name, name) == 0)
      return &known_datasets[d];
  return NULL;
}

static int is_folder(const char *path) {
  struct stat info;
  return path && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Replaces *text; 0 when out of memory. */
static int set_text(char **text, const char *folder, const char *name) {
  free(*text);
  if (asprintf(text, "%s/%s", folder, name) < 0)
    *text = NULL;
  return *text != NULL;
}

static char *known_folder(const known_dataset *known) {
  const char *data_dir = getenv("SINTER_DATA_DIR");
  char *folder = NULL;
  if (data_dir && ((set_text(&folder, data_dir, known->name) && is_folder(folder)) ||
                   (set_text(&folder, data_dir, known->script_name) && is_folder(folder))))
    return folder;
  free(folder);
  return is_folder(known->folder) ? strdup(known->folder) : NULL;
}

static int find_folder(const sinter_model *model, const char *where, char **folder) {
  const char *name = where ? where : model->data ? model->data->dataset : "";
  *folder = NULL;
  if (!name || !*name)
    return sinter_fail(SINTER_ERROR_INPUT,
                       "the script of %s names no data set: give one with --data=DIR", model->name);
  const known_dataset *known = find_known(name);
  if (known)
    *folder = known_folder(known);
  if (!*folder && is_folder(name))
    *folder = strdup(name);
  if (*folder)
    return SINTER_OK;
  if (known)
    return sinter_fail(SINTER_ERROR_INPUT,
                       "the data set %s is not on this machine: %s, put it in a folder %s of "
                       "$SINTER_DATA_DIR, or give --data=DIR",
                       known->name, known->remedy, known->name);
  return sinter_fail(SINTER_ERROR_INPUT, "--data=%s: neither a folder nor a known data set", name);
}

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct candidate {
  const char *name;
  int (*read)(const char *path, sinter_array *array);
} candidate;

#define CANDIDATES 5

static const candidate files[2][2][CANDIDATES] = {{{{"train-images-idx3-ubyte", sinter_read_idx},
                                                    {"train-images-idx3-ubyte.gz", sinter_read_idx},
                                                    {"train-images.idx3-ubyte", sinter_read_idx},
                                                    {"train-images.idx3-ubyte.gz", sinter_read_idx},
                                                    {"x_train.npy", sinter_read_npy}},
                                                   {{"train-labels-idx1-ubyte", sinter_read_idx},
                                                    {"train-labels-idx1-ubyte.gz", sinter_read_idx},
                                                    {"train-labels.idx1-ubyte", sinter_read_idx},
                                                    {"train-labels.idx1-ubyte.gz", sinter_read_idx},
                                                    {"y_train.npy", sinter_read_npy}}},
                                                  {{{"t10k-images-idx3-ubyte", sinter_read_idx},
                                                    {"t10k-images-idx3-ubyte.gz", sinter_read_idx},
                                                    {"t10k-images.idx3-ubyte", sinter_read_idx},
                                                    {"t10k-images.idx3-ubyte.gz", sinter_read_idx},
                                                    {"x_test.npy", sinter_read_npy}},
                                                   {{"t10k-labels-idx1-ubyte", sinter_read_idx},
                                                    {"t10k-labels-idx1-ubyte.gz", sinter_read_idx},
                                                    {"t10k-labels.idx1-ubyte", sinter_read_idx},
                                                    {"t10k-labels.idx1-ubyte.gz", sinter_read_idx},
                                                    {"y_test.npy", sinter_read_npy}}}};

/* The first candidate that exists. */
static int read_candidate(const char *folder, const candidate *candidates, sinter_array *array) {
  char *path = NULL;
  for (int c = 0; c < CANDIDATES; ++c) {
    struct stat info;
    if (!set_text(&path, folder, candidates[c].name))
      return sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
    if (stat(path, &info) == 0) {
      const int status = candidates[c].read(path, array);
      free(path);
      return status;
    }
  }
  free(path);
  return sinter_fail(SINTER_ERROR_INPUT, "%s has neither %s[.gz] nor %s", folder,
                     candidates[0].name, candidates[CANDIDATES - 1].name);
}

/* ---- do they fit the model? ------------------------------------------------------------------ */

/* A kernel may swallow a NaN (max(NaN, 0) is 0), so it is looked for before it gets there. */
static int check_finite(const sinter_array *array) {
  float value;
  for (int64_t i = 0; i < array->count && !sinter_array_is_integer(array); ++i) {
    sinter_array_floats(array, i, 1, &value);
    if (!isfinite(value))
      return sinter_fail(SINTER_ERROR_INPUT, "%s: sample %lld is not finite: it holds %g",
                         array->path, (long long)(i / sinter_array_row_elements(array)),
                         (double)value);
  }
  return SINTER_OK;
}

/* An autoencoder needs no labels: their files are not even looked for. */
static int reconstructs(const sinter_model *model) {
  return model->data && model->data->reconstruct;
}

/* The extents other than 1. */
static int32_t squeeze(const int64_t *dims, int32_t rank, int64_t squeezed[SINTER_MAX_RANK]) {
  int32_t kept = 0;
  for (int32_t d = 0; d < rank; ++d)
    if (dims[d] != 1)
      squeezed[kept++] = dims[d];
  return kept;
}

static int same_dims(const int64_t *a, int32_t a_rank, const int64_t *b, int32_t b_rank) {
  return a_rank == b_rank && memcmp(a, b, (size_t)a_rank * sizeof *a) == 0;
}

/* The C, H and W of a model that takes pictures so, with or without a batch; else NULL. */
static const int64_t *channels_first_dims(const sinter_port *input) {
  const int skip = !input->batched && input->rank == 4 && input->dims[0] == 1;
  return input->channels_first && input->rank - skip == 3 ? input->dims + skip : NULL;
}

/* Pictures of [H, W, C] for a model that takes [C, H, W]. */
static int has_channels_last(const sinter_array *x, const sinter_port *input) {
  const int64_t *chw = channels_first_dims(input);
  if (!chw)
    return 0;
  const int64_t hwc[3] = {chw[1], chw[2], chw[0]};
  return same_dims(x->dims + 1, x->rank - 1, hwc, 3) && !same_dims(hwc, 3, chw, 3);
}

/* In place, so that a sample is its row from then on. */
static int put_channels_first(sinter_array *x, const int64_t *chw) {
  const int64_t channels = chw[0], pixels = chw[1] * chw[2];
  const int64_t bytes = sinter_element_bytes(x->element), sample_bytes = channels * pixels * bytes;
  unsigned char *from = malloc((size_t)sample_bytes + 1), *to = x->data;
  if (!from)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory for the channels of %s", x->path);
  for (int64_t sample = 0; sample < x->dims[0]; ++sample, to += sample_bytes) {
    memcpy(from, to, (size_t)sample_bytes);
    for (int64_t p = 0; p < pixels; ++p)
      for (int64_t c = 0; c < channels; ++c)
        memcpy(to + (c * pixels + p) * bytes, from + (p * channels + c) * bytes, (size_t)bytes);
  }
  free(from);
  memcpy(x->dims + 1, chw, 3 * sizeof *chw);
  return SINTER_OK;
}

/* Extents of 1 do not matter, and flat samples have any shape: 784 values are a picture of 28x28.
 */
static int is_sample(const sinter_array *x, const sinter_port *input) {
  int64_t have[SINTER_MAX_RANK], want[SINTER_MAX_RANK];
  const int32_t have_rank = squeeze(x->dims + 1, x->rank - 1, have);
  const int32_t want_rank = squeeze(input->dims, input->rank, want);
  if (sinter_array_row_elements(x) != sinter_sample_elements(input))
    return 0;
  return have_rank <= 1 || want_rank <= 1 || same_dims(have, have_rank, want, want_rank) ||
         has_channels_last(x, input);
}

static int check_rank(const sinter_array *array) {
  return array->rank > 0 ? SINTER_OK
                         : sinter_fail(SINTER_ERROR_INPUT,
                                       "%s: a single number, not an array of samples", array->path);
}

int sinter_fit_samples(sinter_array *x, const sinter_port *input) {
  const int status = check_rank(x);
  if (status != SINTER_OK)
    return status;
  if (!is_sample(x, input)) {
    char found[160], needed[160];
    return sinter_fail(SINTER_ERROR_INPUT,
                       "%s has samples of shape %s, but the model's input is %s", x->path,
                       sinter_format_shape(x->dims + 1, x->rank - 1, found, sizeof found),
                       sinter_format_shape(input->dims, input->rank, needed, sizeof needed));
  }
  return has_channels_last(x, input) ? put_channels_first(x, channels_first_dims(input))
                                     : SINTER_OK;
}

static int check_labels(const sinter_array *x, const sinter_array *y) {
  const int status = check_rank(y);
  if (status != SINTER_OK)
    return status;
  if (x->dims[0] != y->dims[0])
    return sinter_fail(SINTER_ERROR_INPUT, "%s has %lld samples, but %s has %lld labels", x->path,
                       (long long)x->dims[0], y->path, (long long)y->dims[0]);
  return check_finite(y);
}

/* Classes that the labels are numbers of; 0: the labels are values. */
static int64_t label_classes(const sinter_port *label, const sinter_source *source) {
  if (label->element == SINTER_I32)
    return label->class_limit > 0 ? label->class_limit : (int64_t)INT32_MAX + 1;
  const int64_t elements = sinter_sample_elements(label);
  return elements > 1 && sinter_array_row_elements(&source->y) == 1 ? elements : 0;
}

static int check_label(const sinter_port *label, const sinter_source *source) {
  const sinter_array *y = &source->y;
  const int64_t row = sinter_array_row_elements(y), classes = label_classes(label, source);
  const int dense = label->element == SINTER_I32 || classes == 0;
  const int64_t needed = dense ? sinter_sample_elements(label) : 1;
  if (row != needed)
    return sinter_fail(SINTER_ERROR_INPUT, "%s has %lld values a label, but the model needs %lld",
                       y->path, (long long)row, (long long)needed);
  if (classes == 0)
    return SINTER_OK;
  if (!sinter_array_is_integer(y))
    return sinter_fail(SINTER_ERROR_INPUT, "%s: class numbers must be integers, not %s", y->path,
                       sinter_element_name(y->element));
  for (int64_t i = 0; i < y->count; ++i) {
    const int64_t number = sinter_array_integer(y, i);
    if (number < 0 || number >= classes)
      return sinter_fail(SINTER_ERROR_INPUT, "%s: label %lld is %lld, but the classes are 0..%lld",
                         y->path, (long long)i, (long long)number, (long long)classes - 1);
  }
  return SINTER_OK;
}

/* An autoencoder's label is its input. */
static int check_copy(const sinter_model *model, const sinter_port *label) {
  const sinter_port *input = &model->inputs[0];
  if (label->element == SINTER_F32 &&
      sinter_sample_elements(label) == sinter_sample_elements(input))
    return SINTER_OK;
  char found[160], needed[160];
  return sinter_fail(SINTER_ERROR_INPUT, "the labels are the samples, of shape %s, but need %s",
                     sinter_format_shape(input->dims, input->rank, found, sizeof found),
                     sinter_format_shape(label->dims, label->rank, needed, sizeof needed));
}

int sinter_source_load(const sinter_model *model, const char *where, int32_t kind,
                       sinter_source *source) {
  *source = (sinter_source){.x = {.data = NULL}};
  char *folder = NULL;
  int status = sinter_check_fed_by_files(model);
  if (status == SINTER_OK)
    status = find_folder(model, where, &folder);
  if (status == SINTER_OK)
    status = read_candidate(folder, files[kind][0], &source->x);
  if (status == SINTER_OK && !reconstructs(model))
    status = read_candidate(folder, files[kind][1], &source->y);
  if (status == SINTER_OK)
    status = sinter_fit_samples(&source->x, &model->inputs[0]);
  if (status == SINTER_OK)
    status = check_finite(&source->x);
  if (status == SINTER_OK && !reconstructs(model))
    status = check_labels(&source->x, &source->y);
  for (int32_t p = 0; p < model->label_count && status == SINTER_OK; ++p)
    status = reconstructs(model) ? check_copy(model, &model->labels[p])
                                 : check_label(&model->labels[p], source);
  if (status != SINTER_OK)
    sinter_source_release(source);
  free(folder);
  return status;
}

void sinter_source_release(sinter_source *source) {
  sinter_array_release(&source->x);
  sinter_array_release(&source->y);
}

/* ---- batches --------------------------------------------------------------------------------- */

static void gather_labels(const sinter_port *label, const sinter_source *source,
                          const int32_t *indices, int32_t n, void *labels) {
  const int64_t row = sinter_array_row_elements(&source->y);
  if (label->element == SINTER_I32) {
    for (int32_t i = 0; i < n; ++i)
      for (int64_t e = 0; e < row; ++e)
        ((int32_t *)labels)[i * row + e] =
            (int32_t)sinter_array_integer(&source->y, indices[i] * row + e);
    return;
  }
  const int64_t classes = label_classes(label, source);
  float *values = labels;
  if (classes > 0)
    memset(values, 0, (size_t)(n * classes) * sizeof *values);
  for (int32_t i = 0; i < n; ++i) {
    if (classes > 0)
      values[i * classes + sinter_array_integer(&source->y, indices[i])] = 1.0f;
    else
      sinter_array_floats(&source->y, indices[i] * row, row, values + i * row);
  }
}

void sinter_gather(const sinter_model *model, const sinter_source *source, const float table[256],
                   const int32_t *indices, int32_t n, float *x, void *const *labels) {
  const int64_t row = sinter_sample_elements(&model->inputs[0]);
  for (int32_t i = 0; i < n; ++i) {
    const int64_t begin = (int64_t)indices[i] * row;
    float *to = x + i * row;
    if (source->x.element == SINTER_U8) {
      const uint8_t *from = (const uint8_t *)source->x.data + begin;
      for (int64_t e = 0; e < row; ++e)
        to[e] = table[from[e]];
    } else {
      sinter_array_floats(&source->x, begin, row, to);
      sinter_scale(model->data, to, row);
    }
  }
  for (int32_t p = 0; p < model->label_count; ++p) {
    if (reconstructs(model))
      memcpy(labels[p], x, (size_t)(n * row) * sizeof *x);
    else
      gather_labels(&model->labels[p], source, indices, n, labels[p]);
  }
}
