/* The resume file: a safetensors file of every parameter, the optimizer's state included, and of
 * the best weights so far ("best/NAME"); its metadata holds the state of the loop and the settings
 * that a continued run must share.
 */
#define _GNU_SOURCE /* asprintf */
#include "runtime/safetensors.h"
#include "runtime/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "sinter-resume-2"

static const char *variant_name(const sinter_session *session) {
  return session->model->variant_names[session->context->variant];
}

/* "val_loss min 0.01" */
static json_t *monitor_json(const sinter_model *model, const sinter_monitor *monitor) {
  return json_sprintf("%s%s %s %.9g", monitor->validation ? "val_" : "",
                      model->metric_names[monitor->metric], monitor->maximize ? "max" : "min",
                      (double)monitor->min_delta);
}

static json_t *settings_json(const sinter_session *session) {
  json_t *settings = json_object();
  json_object_set_new(settings, "model", json_string(session->model->name));
  json_object_set_new(settings, "batch size", json_integer(session->settings.batch_size));
  json_object_set_new(settings, "seed", json_integer((json_int_t)session->settings.seed));
  json_object_set_new(settings, "learning rate",
                      json_real((double)session->settings.learning_rate));
  json_object_set_new(settings, "training samples", json_integer(session->train.indices.count));
  json_object_set_new(settings, "validation samples",
                      json_integer(session->validation.indices.count));
  const sinter_monitor *monitors = session->model->training->monitors;
  json_object_set_new(settings, "early stopping by",
                      monitor_json(session->model, &monitors[SINTER_JUDGE_STOPPING]));
  json_object_set_new(settings, "the checkpoint by",
                      monitor_json(session->model, &monitors[SINTER_JUDGE_CHECKPOINT]));
  return settings;
}

static json_t *state_json(const sinter_session *session) {
  json_t *state = json_object();
  json_object_set_new(state, "settings", settings_json(session));
  json_object_set_new(state, "variant", json_string(variant_name(session)));
  json_t *best = json_array();
  for (int j = 0; j < 2; ++j)
    json_array_append_new(best,
                          json_pack("{s:o,s:i}", "value", sinter_exact_json(session->best[j].value),
                                    "epoch", (int)session->best[j].epoch));
  json_object_set_new(state, "best", best);
  json_object_set_new(state, "wait", json_integer(session->wait));
  json_object_set_new(state, "steps_done", json_integer((json_int_t)session->context->steps_done));
  json_object_set_new(state, "history", sinter_history_to_json(&session->history));
  return state;
}

/* Metadata values must be texts, so the state is JSON inside JSON. */
static json_t *metadata_json(const sinter_session *session) {
  json_t *state = state_json(session);
  char *text = json_dumps(state, JSON_COMPACT);
  json_t *metadata = json_object();
  json_object_set_new(metadata, "format", json_string(FORMAT));
  json_object_set_new(metadata, "state", json_string(text));
  free(text);
  json_decref(state);
  return metadata;
}

static char *best_name(const sinter_parameter *parameter) {
  char *name;
  return asprintf(&name, "best/%s", parameter->name) < 0 ? NULL : name;
}

static int has_best(const sinter_session *session, const sinter_parameter *parameter) {
  return session->best_weights && session->best[SINTER_JUDGE_CHECKPOINT].epoch > 0 &&
         parameter->role != SINTER_ROLE_OPTIMIZER;
}

/* Appends the best weights; the names are malloc'ed. Returns the new count. */
static int32_t append_best(const sinter_session *session, sinter_tensor *tensors, int32_t count,
                           int *status) {
  for (int32_t p = 0; p < session->model->parameter_count; ++p) {
    const sinter_parameter *parameter = &session->model->parameters[p];
    if (!has_best(session, parameter))
      continue;
    tensors[count] = (sinter_tensor){best_name(parameter), parameter,
                                     (float *)(session->best_weights + parameter->offset)};
    if (!tensors[count++].name)
      *status = sinter_fail(SINTER_ERROR_MEMORY, "out of memory writing %s", session->resume_path);
  }
  return count;
}

int sinter_resume_write(const sinter_session *session) {
  const sinter_model *model = session->model;
  const int32_t parameters = model->parameter_count;
  const int fetched = sinter_fetch_parameters(session->context);
  if (fetched != SINTER_OK)
    return fetched;
  sinter_tensor *tensors = calloc(2 * (size_t)parameters + 1, sizeof *tensors);
  if (!tensors)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory writing %s", session->resume_path);
  int32_t count = 0;
  for (int32_t p = 0; p < parameters; ++p) {
    const sinter_parameter *parameter = &model->parameters[p];
    tensors[count++] = (sinter_tensor){parameter->name, parameter,
                                       (float *)(session->context->parameters + parameter->offset)};
  }
  int status = SINTER_OK;
  count = append_best(session, tensors, count, &status);
  if (status == SINTER_OK) {
    json_t *metadata = metadata_json(session);
    status = sinter_tensors_write(session->resume_path, tensors, count, metadata);
    json_decref(metadata);
  }
  for (int32_t t = parameters; t < count; ++t)
    free((char *)tensors[t].name);
  free(tensors);
  return status;
}

static char *value_text(const json_t *value) {
  return value ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)) : strdup("nothing");
}

static int check_settings(const sinter_session *session, const json_t *before) {
  json_t *now = settings_json(session);
  const char *name;
  json_t *value;
  int status = SINTER_OK;
  json_object_foreach(now, name, value) {
    const json_t *old = json_object_get(before, name);
    if (status != SINTER_OK || json_equal(value, (json_t *)old))
      continue;
    char *old_text = value_text(old), *new_text = value_text(value);
    status = sinter_fail(
        SINTER_ERROR_INPUT, "cannot resume from %s: it was trained with %s %s, this run has %s",
        session->resume_path, name, old_text ? old_text : "?", new_text ? new_text : "?");
    free(old_text);
    free(new_text);
  }
  json_decref(now);
  return status;
}

/* Another machine may go on with the run; its sums round differently. */
static void note_other_variant(sinter_session *session, const json_t *state) {
  const char *before = json_string_value(json_object_get(state, "variant"));
  if (before && strcmp(before, variant_name(session)) != 0)
    sinter_progress_note(&session->progress,
                         "trained with the %s variant so far, now with %s: the last bits will "
                         "differ from an uninterrupted run's",
                         before, variant_name(session));
}

static int read_state(sinter_session *session, const json_t *state) {
  const int status = check_settings(session, json_object_get(state, "settings"));
  if (status != SINTER_OK)
    return status;
  note_other_variant(session, state);
  for (int j = 0; j < 2; ++j) {
    const json_t *best = json_array_get(json_object_get(state, "best"), (size_t)j);
    session->best[j].value = sinter_exact_value(json_object_get(best, "value"));
    session->best[j].epoch = (int32_t)json_integer_value(json_object_get(best, "epoch"));
  }
  session->wait = (int32_t)json_integer_value(json_object_get(state, "wait"));
  session->context->steps_done = (uint64_t)json_integer_value(json_object_get(state, "steps_done"));
  return sinter_history_from_json(&session->history, json_object_get(state, "history"),
                                  session->resume_path);
}

static int read_best(sinter_session *session, const sinter_tensor_file *file,
                     const sinter_parameter *parameter) {
  char *name = best_name(parameter);
  if (!name)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  const int status = sinter_tensor_file_read(file, name, parameter,
                                             (float *)(session->best_weights + parameter->offset));
  free(name);
  return status;
}

static int read_tensors(sinter_session *session, const sinter_tensor_file *file) {
  const sinter_model *model = session->model;
  int status = SINTER_OK;
  sinter_parameters_changed(session->context);
  for (int32_t p = 0; p < model->parameter_count && status == SINTER_OK; ++p) {
    const sinter_parameter *parameter = &model->parameters[p];
    status = sinter_tensor_file_read(file, parameter->name, parameter,
                                     (float *)(session->context->parameters + parameter->offset));
    if (status == SINTER_OK && has_best(session, parameter))
      status = read_best(session, file, parameter);
  }
  return status;
}

static int read_file(sinter_session *session, const sinter_tensor_file *file) {
  const json_t *metadata = sinter_tensor_file_metadata(file);
  const char *format = json_string_value(json_object_get(metadata, "format"));
  const char *text = json_string_value(json_object_get(metadata, "state"));
  json_t *state = text ? json_loads(text, 0, NULL) : NULL;
  int status = SINTER_OK;
  if (!format || strcmp(format, FORMAT) != 0 || !state)
    status = sinter_fail(SINTER_ERROR_INPUT, "%s holds no training state of this version",
                         session->resume_path);
  if (status == SINTER_OK)
    status = read_state(session, state);
  if (status == SINTER_OK)
    status = read_tensors(session, file);
  json_decref(state);
  return status;
}

int sinter_resume_read(sinter_session *session) {
  if (access(session->resume_path, F_OK) != 0) {
    sinter_progress_note(&session->progress, "no %s: training starts from the beginning",
                         session->resume_path);
    return SINTER_OK;
  }
  sinter_tensor_file *file;
  int status = sinter_tensor_file_open(session->resume_path, &file);
  if (status == SINTER_OK)
    status = read_file(session, file);
  sinter_tensor_file_close(file);
  if (status != SINTER_OK)
    return status;
  session->first_epoch = session->history.epochs;
  /* The kill may have come before that file. */
  session->checkpoint_is_stale = session->model->training->checkpoint_every_epoch ||
                                 session->best[SINTER_JUDGE_CHECKPOINT].epoch > 0;
  sinter_progress_note(&session->progress, "resumed after epoch %d from %s",
                       session->history.epochs, session->resume_path);
  return SINTER_OK;
}
