// Learning rates that change from step to step: keras.optimizers.schedules as scalar nodes.
//
// With t the steps done before this one, D the decay's steps and p = t / D:
//
//   exponential_decay    rate decay_rate^p
//   inverse_time_decay   rate / (1 + decay_rate p)
//   polynomial_decay     rate ((1 - end) (1 - min(p, 1))^power + end)
//   cosine_decay         rate ((1 - end) (1 + cos(pi min(p, 1))) / 2 + end), where t counts from the
//                        end of the warm-up; in that, rate (start + (1 - start) t / warmup_steps)
//   piecewise_constant   rate factors[number of boundaries below t]
//
// A staircase takes floor(p) for p.
#pragma once

#include "ir/model.h"

namespace sinter {

/// The rate at a step, which counts from 1.
NodeId append_schedule(Graph &, const ScheduleSpec &, NodeId rate, NodeId step);

} // namespace sinter
