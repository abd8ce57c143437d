// Turns gradients into updates, by Keras's formulas:
//
//   output "gradient:w" %9      ->   %10 = parameter {name="w/adam_m", role="optimizer"}
//                                    %11 = moving_average %10, %9 {decay=beta_1}
//                                    ... the rest of the rule ...
//                                    update %w %14    update %10 %11   ...
//
//   sgd                   w' = w - lr g
//   sgd, momentum         v' = momentum v - lr g;   w' = w + v'
//   sgd, Nesterov         the same v';   w' = w + momentum v' - lr g
//   adam                  m' = beta_1 m + (1 - beta_1) g;   v' = beta_2 v + (1 - beta_2) g^2
//                         w' = w - lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m' / (sqrt(v') + epsilon)
//   rmsprop               v' = rho v + (1 - rho) g^2;   w' = w - lr g / sqrt(v' + epsilon)
//   rmsprop, momentum     u' = momentum u - lr g / sqrt(v' + epsilon);   w' = w + u'
//   adagrad               v' = v + g^2;   w' = w - lr g / sqrt(v' + epsilon)
//   adadelta              v' = rho v + (1 - rho) g^2;   d = g sqrt(x + epsilon) / sqrt(v' + epsilon)
//                         x' = rho x + (1 - rho) d^2;   w' = w - lr d
//   adamax                m' as in adam;   u' = max(beta_2 u, |g|)
//                         w' = w - lr / (1 - beta_1^t) m' / (u' + epsilon)
//   nadam                 m', v' as in adam;   b(t) = beta_1 (1 - 0.96^(momentum_decay t) / 2)
//                         p' = p b(t), one number, from 1
//                         n = (1 - b(t)) g / (1 - p') + b(t + 1) m' / (1 - p' b(t + 1))
//                         w' = w - lr n / (sqrt(v' / (1 - beta_2^t)) + epsilon)
//
// With epsilon_after_root (PyTorch's formulas) epsilon is added to the root of the squares, after
// their correction: sqrt(v' / (1 - beta_2^t)) + epsilon in adam, sqrt(v') + epsilon in rmsprop and
// adagrad; and to |g| before the maximum in adamax.
//
// Before that, gradients are clipped: g' = g norm / max(|g|, norm) with |g| the norm of one of them
// or of all (clip_norm, global_clip_norm), or each element to [-clip_value, clip_value]. With a
// schedule `lr` is that of the step (passes/learning_rate.h).
//
// After it, weights are brought back to their constraint, with |w| the norms over norm_axes:
//   non_neg               w' = max(w, 0)
//   unit_norm             w' = w / (|w| + 1e-7)
//   max_norm              w' = w min(|w|, max_norm) / (|w| + 1e-7)
//   min_max_norm          w' = w n / (|w| + 1e-7), n = norm_rate clip(|w|, min_norm, max_norm) +
//                         (1 - norm_rate) |w|
//
// Optimizer state has its weight's type, storage block included (but for nadam's p), and starts at
// zero, or for adagrad at its initial accumulator. `lr` and `t` are inputs (roles learning_rate and step), so that a
// schedule needs no recompiling; Adam's rate is computed once for all parameters.
//
// Throws CompileError where the specification has a number that no update takes (epsilon < 0).
// Requires: differentiate. Guarantees: no "gradient:" output is left; every one became an update.
#pragma once

#include "ir/model.h"

namespace sinter {

void add_optimizer(Graph &, const OptimizerSpec &);

} // namespace sinter
