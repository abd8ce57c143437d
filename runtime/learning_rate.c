/* The learning rate of an epoch: from the script's table, or lowered where the monitored value has
 * stayed on a plateau. Both are functions of the epochs so far, so a resumed run finds the same.
 */
#include "runtime/session.h"

#include <math.h>

/* The compiler lets no plateau monitor a validation that the script has no data for. */
static double monitored(const sinter_session *session, const sinter_monitor *monitor,
                        int32_t epoch) {
  const double *row = sinter_history_row(&session->history, epoch);
  return row[(monitor->validation ? session->model->metric_count : 0) + monitor->metric];
}

static int is_better(const sinter_monitor *monitor, double value, double best) {
  const double delta = (double)monitor->min_delta;
  return monitor->maximize ? value > best + delta : value < best - delta;
}

/* Keras's ReduceLROnPlateau, over the finished epochs. */
static float lowered(const sinter_session *session, const sinter_plateau *plateau, float rate) {
  double best = plateau->monitor.maximize ? -INFINITY : INFINITY;
  int32_t wait = 0, cooldown = 0;
  for (int32_t epoch = 0; epoch < session->history.epochs; ++epoch) {
    const double value = monitored(session, &plateau->monitor, epoch);
    if (cooldown > 0) {
      --cooldown;
      wait = 0;
    }
    if (is_better(&plateau->monitor, value, best)) {
      best = value;
      wait = 0;
    } else if (cooldown == 0 && ++wait >= plateau->patience) {
      if (rate > plateau->min_rate)
        rate = fmaxf((float)((double)rate * plateau->factor), plateau->min_rate);
      cooldown = plateau->cooldown;
      wait = 0;
    }
  }
  return rate;
}

/* --learning-rate is that of the first epoch; the others keep their proportion to it. */
static float from_table(const sinter_training *training, float first, int32_t epoch) {
  const int32_t last = training->epoch_rate_count - 1;
  const float rate = training->epoch_rates[epoch < last ? epoch : last];
  return training->learning_rate > 0 ? rate * (first / training->learning_rate) : rate;
}

float sinter_epoch_learning_rate(const sinter_session *session, int32_t epoch) {
  const sinter_training *training = session->model->training;
  if (training->epoch_rate_count > 0)
    return from_table(training, session->settings.learning_rate, epoch);
  if (training->plateau)
    return lowered(session, training->plateau, session->settings.learning_rate);
  return session->settings.learning_rate;
}
