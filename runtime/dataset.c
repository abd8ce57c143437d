#define _GNU_SOURCE /* asprintf */
#include "runtime/dataset.h"

#include "runtime/parameters.h"
#include "runtime/scaling.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int64_t product(const int64_t *dims, int32_t rank) {
  int64_t elements = 1;
  for (int32_t d = 0; d < rank; ++d)
    elements *= dims[d];
  return elements;
}

int64_t sinter_input_elements(const sinter_model *model) {
  return product(model->input_dims, model->input_rank);
}

int64_t sinter_output_elements(const sinter_model *model) {
  return product(model->output_dims, model->output_rank);
}

int64_t sinter_label_elements(const sinter_model *model) {
  return product(model->label_dims, model->label_rank);
}

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

static int check_samples(const sinter_model *model, const sinter_source *source) {
  const sinter_array *x = &source->x, *y = &source->y;
  char found[160], needed[160];
  const int labelled = !reconstructs(model);
  if (x->rank < 1 || (labelled && y->rank < 1))
    return sinter_fail(SINTER_ERROR_INPUT, "%s: a single number, not an array of samples",
                       x->rank < 1 ? x->path : y->path);
  if (labelled && x->dims[0] != y->dims[0])
    return sinter_fail(SINTER_ERROR_INPUT, "%s has %lld samples, but %s has %lld labels", x->path,
                       (long long)x->dims[0], y->path, (long long)y->dims[0]);
  if (sinter_array_row_elements(x) != sinter_input_elements(model))
    return sinter_fail(
        SINTER_ERROR_INPUT, "%s has samples of shape %s, but the model's input is %s", x->path,
        sinter_format_shape(x->dims + 1, x->rank - 1, found, sizeof found),
        sinter_format_shape(model->input_dims, model->input_rank, needed, sizeof needed));
  const int status = check_finite(x);
  return status == SINTER_OK && labelled ? check_finite(y) : status;
}

/* Classes that the labels are numbers of; 0: the labels are values. */
static int64_t label_classes(const sinter_model *model, const sinter_source *source) {
  if (model->label_is_index)
    return model->class_limit;
  const int64_t elements = sinter_label_elements(model);
  return elements > 1 && sinter_array_row_elements(&source->y) == 1 ? elements : 0;
}

static int check_labels(const sinter_model *model, const sinter_source *source) {
  const sinter_array *y = &source->y;
  const int64_t row = sinter_array_row_elements(y), classes = label_classes(model, source);
  const int64_t needed = model->label_is_index || classes == 0 ? sinter_label_elements(model) : 1;
  if (row != needed)
    return sinter_fail(SINTER_ERROR_INPUT, "%s has %lld values a label, but the model needs %lld",
                       y->path, (long long)row, (long long)needed);
  if (classes == 0)
    return SINTER_OK;
  if (!sinter_array_is_integer(y))
    return sinter_fail(SINTER_ERROR_INPUT, "%s: class numbers must be integers, not %s", y->path,
                       sinter_element_name(y->element));
  for (int64_t i = 0; i < y->count; ++i) {
    const int64_t label = sinter_array_integer(y, i);
    if (label < 0 || label >= classes)
      return sinter_fail(SINTER_ERROR_INPUT, "%s: label %lld is %lld, but the classes are 0..%lld",
                         y->path, (long long)i, (long long)label, (long long)classes - 1);
  }
  return SINTER_OK;
}

int sinter_source_load(const sinter_model *model, const char *where, int32_t kind,
                       sinter_source *source) {
  *source = (sinter_source){.x = {.data = NULL}};
  char *folder;
  int status = find_folder(model, where, &folder);
  if (status == SINTER_OK)
    status = read_candidate(folder, files[kind][0], &source->x);
  if (status == SINTER_OK && !reconstructs(model))
    status = read_candidate(folder, files[kind][1], &source->y);
  if (status == SINTER_OK)
    status = check_samples(model, source);
  if (status == SINTER_OK && !reconstructs(model))
    status = check_labels(model, source);
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

static void gather_labels(const sinter_model *model, const sinter_source *source,
                          const int32_t *indices, int32_t n, void *labels) {
  const int64_t row = sinter_array_row_elements(&source->y);
  if (model->label_is_index) {
    for (int32_t i = 0; i < n; ++i)
      for (int64_t e = 0; e < row; ++e)
        ((int32_t *)labels)[i * row + e] =
            (int32_t)sinter_array_integer(&source->y, indices[i] * row + e);
    return;
  }
  const int64_t classes = label_classes(model, source);
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
                   const int32_t *indices, int32_t n, float *x, void *labels) {
  const int64_t row = sinter_input_elements(model);
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
  if (reconstructs(model))
    memcpy(labels, x, (size_t)(n * row) * sizeof *x);
  else
    gather_labels(model, source, indices, n, labels);
}
