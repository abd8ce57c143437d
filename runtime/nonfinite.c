/* Which layer made the first NaN or infinity. The step whose loss is not finite has already updated
 * the weights, so the steps since the last snapshot are replayed, bit for bit, with the outputs of
 * every kernel searched after it has run.
 */
#include "runtime/profile.h"
#include "runtime/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Replays up to `last`; returns the batch in which the watch found something, else -1. */
static int32_t replay(sinter_session *session, int32_t last, sinter_watch *watch) {
  sinter_context *context = session->context;
  float metrics[SINTER_MAX_METRICS];
  memcpy(context->parameters, session->snapshot.parameters,
         (size_t)session->model->parameter_bytes);
  sinter_parameters_changed(context);
  context->steps_done = session->snapshot.steps_done;
  for (int32_t b = session->snapshot.batch; b <= last; ++b) {
    watch->batch = sinter_session_gather(session, b);
    if (session->model->train_step(context, session->batch.inputs.data, session->batch.labels.data,
                                   watch->batch, metrics) != SINTER_OK)
      return -1;
    if (watch->kernel >= 0)
      return b;
  }
  return -1;
}

static const char *describe(float value) {
  return isnan(value) ? "NaN" : value > 0 ? "infinity" : "-infinity";
}

static int report(const sinter_session *session, int32_t epoch, int32_t batch, int32_t found,
                  const sinter_watch *watch) {
  const sinter_model *model = session->model;
  const long long step = (long long)session->context->steps_done;
  if (found < 0)
    return sinter_fail(SINTER_ERROR_NUMERIC, "the loss is not finite in epoch %d, batch %d",
                       epoch + 1, batch + 1);
  const sinter_kernel *kernel = &model->phases[SINTER_TRAIN].kernels[watch->kernel];
  return sinter_fail(SINTER_ERROR_NUMERIC,
                     "the loss is not finite in epoch %d, batch %d: step %lld made the first %s in "
                     "layer %s (kernel %s: %s); a smaller learning rate than %g may help",
                     epoch + 1, batch + 1, step, describe(watch->value), kernel->layers,
                     kernel->name, kernel->ops, (double)session->context->learning_rate);
}

int sinter_report_nonfinite(sinter_session *session, int32_t epoch, int32_t batch) {
  sinter_context *context = session->context;
  sinter_watch watch = {.phase = SINTER_TRAIN, .kernel = -1};
  const size_t kernels = (size_t)session->model->phases[SINTER_TRAIN].kernel_count;
  context->profile = calloc(kernels + 1, sizeof *context->profile);
  context->watch = &watch;
  const int32_t found = context->profile ? replay(session, batch, &watch) : -1;
  free(context->profile);
  context->profile = NULL;
  context->watch = NULL;
  return report(session, epoch, batch, found, &watch);
}
