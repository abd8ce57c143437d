#define _GNU_SOURCE /* asprintf */
#include "runtime/session.h"

#include "runtime/atomic_file.h"
#include "runtime/profile.h"
#include "runtime/weights.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPSHOT_INTERVAL 64 /* steps: what a replay costs at most, against a copy now and then */

static volatile sig_atomic_t interrupted;

static void note_interrupt(int signal_number) {
  (void)signal_number;
  interrupted = 1;
}

void sinter_catch_interrupts(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = note_interrupt;
  action.sa_flags = (int)SA_RESETHAND;
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

int sinter_was_interrupted(void) { return interrupted; }

/* ---- opening -----------------------------------------------------------------------------------
 */

static double worst_value(const sinter_monitor *monitor) {
  return monitor->maximize ? -(double)INFINITY : (double)INFINITY;
}

/* "fashion.safetensors" -> "fashion.resume.safetensors" */
static char *resume_path(const char *checkpoint) {
  static const char suffix[] = ".safetensors";
  size_t stem = strlen(checkpoint);
  if (stem > sizeof suffix - 1 && strcmp(checkpoint + stem - (sizeof suffix - 1), suffix) == 0)
    stem -= sizeof suffix - 1;
  char *path;
  return asprintf(&path, "%.*s.resume%s", (int)stem, checkpoint, suffix) < 0 ? NULL : path;
}

/* A folder that cannot be written is better found now than after the first epoch. */
static int check_writable(const char *path) {
  sinter_atomic_file file;
  const int status = sinter_atomic_open(&file, path);
  if (status == SINTER_OK)
    sinter_atomic_abandon(&file);
  return status;
}

static int check_paths(const sinter_session *session) {
  int status = check_writable(session->checkpoint_path);
  if (status == SINTER_OK)
    status = check_writable(session->resume_path);
  if (status == SINTER_OK && session->history_path)
    status = check_writable(session->history_path);
  if (status == SINTER_OK) {
    sinter_atomic_clean(session->checkpoint_path);
    sinter_atomic_clean(session->resume_path);
    if (session->history_path)
      sinter_atomic_clean(session->history_path);
  }
  return status;
}

static int allocate(sinter_session *session) {
  const sinter_model *model = session->model;
  session->order = malloc((size_t)session->train.indices.count * sizeof *session->order);
  session->snapshot.parameters = malloc((size_t)model->parameter_bytes + 1);
  const int keeps_best = !model->training->checkpoint_every_epoch;
  if (keeps_best)
    session->best_weights = malloc((size_t)model->trainable_bytes + 1);
  if (!session->order || !session->snapshot.parameters || (keeps_best && !session->best_weights))
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory for the copies of the weights");
  return sinter_batch_allocate(&session->batch, model, session->settings.batch_size);
}

static int open_data(sinter_session *session) {
  int status = sinter_samples_part(&session->samples, SINTER_PART_TRAIN, &session->train);
  if (status == SINTER_OK && !session->train.source)
    status = sinter_fail(SINTER_ERROR_INPUT, "the script of %s names no training data",
                         session->model->name);
  if (status == SINTER_OK)
    status = sinter_samples_part(&session->samples, SINTER_PART_VALIDATION, &session->validation);
  const sinter_monitor *monitors = session->model->training->monitors;
  for (int j = 0; j < 2 && status == SINTER_OK && !session->validation.source; ++j)
    if (monitors[j].validation)
      status = sinter_fail(SINTER_ERROR_INPUT,
                           "the monitored metric val_%s needs validation data, and there is none",
                           session->model->metric_names[monitors[j].metric]);
  return status;
}

int sinter_session_open(sinter_session *session, sinter_context *context,
                        const sinter_options *options, const sinter_settings *settings,
                        const char *checkpoint_path) {
  *session = (sinter_session){.context = context,
                              .model = context->model,
                              .settings = *settings,
                              .checkpoint_path = checkpoint_path,
                              .history_path = options->history,
                              .resume_path = resume_path(checkpoint_path),
                              .started = sinter_seconds()};
  for (int j = 0; j < 2; ++j)
    session->best[j].value = worst_value(&context->model->training->monitors[j]);
  if (!session->resume_path)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  sinter_samples_open(&session->samples, session->model, options->data, settings->seed);
  int status = check_paths(session);
  if (status == SINTER_OK)
    status = open_data(session);
  if (status == SINTER_OK)
    status = allocate(session);
  sinter_history_open(&session->history, session->model, session->validation.source != NULL);
  sinter_progress_open(&session->progress, options->json, options->quiet);
  return status;
}

void sinter_session_close(sinter_session *session) {
  sinter_progress_clear(&session->progress);
  sinter_history_close(&session->history);
  sinter_part_release(&session->train);
  sinter_part_release(&session->validation);
  sinter_samples_close(&session->samples);
  sinter_batch_release(&session->batch);
  free(session->snapshot.parameters);
  free(session->best_weights);
  free(session->order);
  free(session->resume_path);
}

/* ---- what the loop asks ------------------------------------------------------------------------
 */

/* What the generated loop decides after an epoch: never after the very first. */
static int has_stopped_early(const sinter_session *session) {
  const sinter_training *training = session->model->training;
  return training->early_stopping && session->history.epochs > 1 &&
         session->wait >= training->patience;
}

/* A resumed run that had stopped early already has nothing left to do. */
int32_t sinter_session_first_epoch(sinter_session *session) {
  const int32_t epochs = session->settings.epochs;
  return has_stopped_early(session) || session->first_epoch > epochs ? epochs
                                                                     : session->first_epoch;
}

int32_t sinter_session_epochs(sinter_session *session) { return session->settings.epochs; }
double sinter_session_best(sinter_session *session, int32_t judge) {
  return session->best[judge].value;
}
int32_t sinter_session_wait(sinter_session *session) { return session->wait; }

static int32_t batch_count(const sinter_session *session, const sinter_part *part) {
  const int32_t size = session->settings.batch_size;
  return part->indices.count / size + (part->indices.count % size != 0);
}

int32_t sinter_validation_batches(sinter_session *session) {
  return session->validation.source ? batch_count(session, &session->validation) : 0;
}

static void set_learning_rate(sinter_session *session, int32_t epoch) {
  const float rate = sinter_epoch_learning_rate(session, epoch);
  if (session->model->training->plateau && rate != session->context->learning_rate)
    sinter_progress_note(&session->progress, "learning rate %g from epoch %d on", (double)rate,
                         epoch + 1);
  session->context->learning_rate = rate;
}

int32_t sinter_epoch_begin(sinter_session *session, int32_t epoch) {
  session->epoch_started = sinter_seconds();
  set_learning_rate(session, epoch);
  if (session->model->training->shuffle)
    sinter_shuffle(&session->train.indices, session->settings.seed, epoch, session->order);
  else
    memcpy(session->order, session->train.indices.values,
           (size_t)session->train.indices.count * sizeof *session->order);
  sinter_progress_epoch(&session->progress, epoch, session->settings.epochs,
                        session->train.indices.count);
  return batch_count(session, &session->train);
}

static int32_t gather(sinter_session *session, const sinter_part *part, const int32_t *order,
                      int32_t batch) {
  const int32_t size = session->settings.batch_size, first = batch * size;
  const int32_t rest = part->indices.count - first, n = rest < size ? rest : size;
  sinter_gather(session->model, part->source, session->samples.table, order + first, n,
                session->batch.inputs.data[0], session->batch.labels.data);
  return n;
}

int32_t sinter_session_gather(sinter_session *session, int32_t batch) {
  return gather(session, &session->train, session->order, batch);
}

static int take_snapshot(sinter_session *session, int32_t batch) {
  const int status = sinter_fetch_parameters(session->context);
  if (status != SINTER_OK)
    return status;
  memcpy(session->snapshot.parameters, session->context->parameters,
         (size_t)session->model->parameter_bytes);
  session->snapshot.steps_done = session->context->steps_done;
  session->snapshot.batch = batch;
  return SINTER_OK;
}

int32_t sinter_next_batch(sinter_session *session, int32_t phase, int32_t batch, void **inputs,
                          void **labels) {
  const sinter_batch *buffers = &session->batch;
  memcpy(inputs, buffers->inputs.data, (size_t)buffers->inputs.count * sizeof *inputs);
  memcpy(labels, buffers->labels.data, (size_t)buffers->labels.count * sizeof *labels);
  if (interrupted) {
    sinter_fail(SINTER_ERROR_INPUT, "interrupted");
    return 0;
  }
  if (phase != SINTER_TRAIN)
    return gather(session, &session->validation, session->validation.indices.values, batch);
  if (batch % SNAPSHOT_INTERVAL == 0 && take_snapshot(session, batch) != SINTER_OK)
    return 0;
  return sinter_session_gather(session, batch);
}

void sinter_batch_done(sinter_session *session, int64_t samples, const double *sums) {
  sinter_progress_samples(&session->progress, session->model, samples, sums);
}

void sinter_keep_best(sinter_session *session, int32_t judge, int32_t epoch) {
  session->best[judge].epoch = epoch + 1;
  if (judge != SINTER_JUDGE_CHECKPOINT)
    return;
  session->checkpoint_is_stale = 1;
  /* What fails here fails again when the epoch ends, where it is reported. */
  if (session->best_weights && sinter_fetch_parameters(session->context) == SINTER_OK)
    memcpy(session->best_weights, session->context->parameters,
           (size_t)session->model->trainable_bytes);
}

static int write_checkpoint(sinter_session *session) {
  const unsigned char *best = session->best_weights;
  const int status = sinter_fetch_parameters(session->context);
  if (status != SINTER_OK)
    return status;
  session->checkpoint_is_stale = 0;
  return sinter_save_region(session->model, best ? best : session->context->parameters,
                            session->checkpoint_path);
}

/* The resume file comes first: it alone can recreate the two others, so a kill between any two
 * writes loses nothing. */
static int write_files(sinter_session *session) {
  int status = sinter_resume_write(session);
  if (status == SINTER_OK && session->checkpoint_is_stale)
    status = write_checkpoint(session);
  if (status == SINTER_OK && session->history_path)
    status = sinter_history_write_csv(&session->history, session->history_path);
  return status;
}

int sinter_epoch_end(sinter_session *session, int32_t epoch, const double *record,
                     const double *best, int32_t wait) {
  for (int j = 0; j < 2; ++j)
    session->best[j].value = best[j];
  session->wait = wait;
  session->first_epoch = epoch + 1;
  if (session->model->training->checkpoint_every_epoch)
    session->checkpoint_is_stale = 1;
  int status = sinter_history_append(&session->history, record);
  if (status == SINTER_OK)
    status = write_files(session);
  if (status != SINTER_OK)
    return status;
  sinter_progress_epoch_done(&session->progress, &session->history,
                             sinter_seconds() - session->epoch_started,
                             session->best[SINTER_JUDGE_CHECKPOINT].epoch == epoch + 1);
  return SINTER_OK;
}

int sinter_training_end(sinter_session *session, int32_t stopped_early) {
  const sinter_training *training = session->model->training;
  for (int j = 0; j < 2; ++j)
    if (session->best[j].epoch == 0)
      sinter_keep_best(session, j, session->history.epochs - 1); /* nothing improved: the last */
  int status = session->checkpoint_is_stale ? write_checkpoint(session) : SINTER_OK;
  if (status == SINTER_OK && session->history_path)
    status = sinter_history_write_csv(&session->history, session->history_path);
  if (status != SINTER_OK)
    return status;
  if (has_stopped_early(session))
    stopped_early = 1; /* also when a resumed run had nothing left to do */
  const sinter_training_result result = {.best_epoch = session->best[SINTER_JUDGE_CHECKPOINT].epoch,
                                         .stopped_early = stopped_early,
                                         .holds_latest = training->checkpoint_every_epoch,
                                         .seconds = sinter_seconds() - session->started,
                                         .checkpoint = session->checkpoint_path};
  sinter_progress_training_done(&session->progress, &session->history, &result);
  return SINTER_OK;
}
