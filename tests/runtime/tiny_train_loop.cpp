// The loop that backends/program generates, written by hand: see sinter_runtime.h.
#include "tests/runtime/tiny_model.h"

#include <cmath>
#include <limits>

namespace tiny {
namespace {

// One pass over the batches of a phase; record gets the means. 0, or the status to return.
int run_epoch(sinter_context *c, sinter_session *session, int32_t epoch, int32_t phase,
              int32_t batches, double *record) {
  double sums[2] = {0, 0};
  int64_t samples = 0;
  for (int32_t b = 0; b < batches; ++b) {
    void *x;
    void *labels;
    float metrics[SINTER_MAX_METRICS];
    const int32_t n = sinter_next_batch(session, phase, b, &x, &labels);
    if (n <= 0)
      return SINTER_ERROR_INPUT;
    const int status = phase == SINTER_TRAIN ? c->model->train_step(c, &x, &labels, n, metrics)
                                             : c->model->eval_step(c, &x, &labels, n, metrics);
    if (status != SINTER_OK)
      return status;
    if (phase == SINTER_TRAIN && !std::isfinite(metrics[0]))
      return sinter_report_nonfinite(session, epoch, b);
    samples += n;
    for (int m = 0; m < 2; ++m)
      sums[m] += static_cast<double>(n) * static_cast<double>(metrics[m]);
    if (phase == SINTER_TRAIN)
      sinter_batch_done(session, samples, sums);
  }
  for (int m = 0; m < 2; ++m)
    record[m] = samples > 0 ? sums[m] / static_cast<double>(samples)
                            : std::numeric_limits<double>::quiet_NaN();
  return SINTER_OK;
}

bool improves(const sinter_monitor &monitor, const double *record, double best) {
  const double value = record[monitor.metric + (monitor.validation ? 2 : 0)];
  return (monitor.maximize ? value - best : best - value) > static_cast<double>(monitor.min_delta);
}

} // namespace

int train_loop(sinter_context *c, sinter_session *session) {
  const sinter_training &t = *c->model->training;
  double best[2] = {sinter_session_best(session, SINTER_JUDGE_STOPPING),
                    sinter_session_best(session, SINTER_JUDGE_CHECKPOINT)};
  int32_t wait = sinter_session_wait(session), stopped = 0;
  for (int32_t e = sinter_session_first_epoch(session); e < sinter_session_epochs(session); ++e) {
    double record[4];
    const int32_t batches = sinter_epoch_begin(session, e);
    int status = run_epoch(c, session, e, SINTER_TRAIN, batches, record);
    if (status == SINTER_OK)
      status =
          run_epoch(c, session, e, SINTER_EVAL, sinter_validation_batches(session), record + 2);
    if (status != SINTER_OK)
      return status;
    ++wait;
    for (const int judge : {SINTER_JUDGE_CHECKPOINT, SINTER_JUDGE_STOPPING}) {
      if (!improves(t.monitors[judge], record, best[judge]))
        continue;
      best[judge] = record[t.monitors[judge].metric + (t.monitors[judge].validation ? 2 : 0)];
      wait = judge == SINTER_JUDGE_STOPPING ? 0 : wait;
      sinter_keep_best(session, judge, e);
    }
    status = sinter_epoch_end(session, e, record, best, wait);
    if (status != SINTER_OK)
      return status;
    if (t.early_stopping && e > 0 && wait >= t.patience) {
      stopped = 1;
      break;
    }
  }
  return sinter_training_end(session, stopped);
}

} // namespace tiny
