/* One run of training: what the functions of sinter_runtime.h that the generated loop calls share.
 */
#pragma once

#include "runtime/history.h"
#include "runtime/options.h"
#include "runtime/progress.h"
#include "runtime/samples.h"

/* What a run is made with; a resumed one must agree in all but the epochs. */
typedef struct sinter_settings {
  int32_t epochs, batch_size;
  uint64_t seed;
  float learning_rate;
} sinter_settings;

/* The state to replay the latest steps from when a loss is not finite. */
typedef struct sinter_snapshot {
  unsigned char *parameters;
  uint64_t steps_done;
  int32_t batch;
} sinter_snapshot;

/* What one judge has found best so far. */
typedef struct sinter_best {
  double value;
  int32_t epoch; /* from 1; 0: none yet */
} sinter_best;

struct sinter_session {
  sinter_context *context;
  const sinter_model *model;
  sinter_settings settings;
  const char *checkpoint_path, *history_path; /* history_path may be NULL */
  char *resume_path;

  sinter_samples samples;
  sinter_part train, validation;
  int32_t *order; /* the training samples of this epoch */
  sinter_batch batch;
  sinter_snapshot snapshot;

  int32_t first_epoch;
  sinter_best best[2];         /* by sinter_judge */
  unsigned char *best_weights; /* the checkpoint's judge's, trainable_bytes; NULL: it keeps all */
  int32_t wait;                /* epochs since early stopping's judge saw a better one */
  int checkpoint_is_stale;     /* its file does not hold the weights that it should */
  sinter_history history;
  sinter_progress progress;
  double started, epoch_started;
};

/* Reads the data and allocates; the context is in its initial state. */
int sinter_session_open(sinter_session *session, sinter_context *context,
                        const sinter_options *options, const sinter_settings *settings,
                        const char *checkpoint_path);
void sinter_session_close(sinter_session *session);

/* resume.c: the whole state after an epoch, as one file. Reading one that does not exist starts
 * from the beginning. */
int sinter_resume_write(const sinter_session *session);
int sinter_resume_read(sinter_session *session);

/* learning_rate.c: that of an epoch, when those before it are finished. */
float sinter_epoch_learning_rate(const sinter_session *session, int32_t epoch);

/* Gathers training batch `batch` of the running epoch; its size. */
int32_t sinter_session_gather(sinter_session *session, int32_t batch);

/* SIGINT and SIGTERM stop training at the next batch; a second one kills. */
void sinter_catch_interrupts(void);
int sinter_was_interrupted(void);
