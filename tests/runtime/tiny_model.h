// A hand-written stand-in for a generated program: a linear softmax classifier of 6x5x1 images into
// 3 classes, trained by SGD with momentum and input noise from the dropout key. It follows the
// contract of sinter_runtime.h to the letter, blocked storage and profile hooks included, so that
// the runtime can be driven through everything without a compiler.
#pragma once

#include "runtime/sinter_runtime.h"

#include <cstdint>
#include <vector>

namespace tiny {

constexpr int height = 6, width = 5, features = height * width, classes = 3, block = 2;

// The parameters, in the model's order.
enum : int { kernel, bias, kernel_momentum, bias_momentum, parameter_count };

// A model with its own ports, training and data records, which a test may change.
struct Model {
  Model();
  Model(const Model &) = delete;
  sinter_parameter parameters[parameter_count];
  sinter_port input, label, output;
  sinter_training training;
  sinter_data data;
  sinter_model model;
};

// The training loop, for tests that link the program's part of the runtime.
int train_loop(sinter_context *context, sinter_session *session);

// A context with the memory that it lies in.
struct Context {
  Context(const sinter_model &model, int max_batch = 16, int threads = 1, uint64_t seed = 1);
  ~Context();
  Context(const Context &) = delete;
  sinter_context *operator->() const { return context; }
  void *memory;
  sinter_context *context = nullptr;
  int status;
};

// A parameter's values in logical order.
std::vector<float> logical(const Context &context, int parameter);

} // namespace tiny
