#include "tests/runtime/tiny_model.h"

#include "tests/runtime/internal.h"

#include <cmath>
#include <cstring>
#include <vector>

namespace tiny {
namespace {

constexpr int class_blocks = (classes + block - 1) / block;
constexpr int padded = class_blocks * block;
constexpr float momentum = 0.9f, noise = 0.01f;

// Arena: gradients (fixed), then per sample the logits, the losses and the noisy input.
constexpr int64_t gradient_bytes = 64 * ((int64_t{features} * padded * 4 + 63) / 64);
constexpr int64_t arena_fixed = gradient_bytes + 64;
constexpr int64_t losses_offset = 32, logits_bytes = 64,
                  input_bytes = 64 * ((features * 4 + 63) / 64);
constexpr int64_t arena_per_sample = logits_bytes + input_bytes;

float *at(sinter_context *c, int parameter) {
  return reinterpret_cast<float *>(c->parameters + c->model->parameters[parameter].offset);
}

int64_t kernel_index(int feature, int k) {
  return (int64_t{k} / block * features + feature) * block + k % block;
}

struct Step {
  sinter_context *c;
  const float *x;
  const int32_t *labels;
  int n;
  float *logits() const { return reinterpret_cast<float *>(c->arena + arena_fixed); }
  float *losses() const {
    return reinterpret_cast<float *>(c->arena + arena_fixed + n * losses_offset);
  }
  float *input() const {
    return reinterpret_cast<float *>(c->arena + arena_fixed + n * logits_bytes);
  }
  float *kernel_gradient() const { return reinterpret_cast<float *>(c->arena); }
  float *bias_gradient() const { return reinterpret_cast<float *>(c->arena + gradient_bytes); }
};

int dense_sample(void *, int sample, uint8_t *closure) {
  const Step &s = *reinterpret_cast<Step *>(closure);
  const float *x = s.x + int64_t{sample} * features;
  for (int k = 0; k < classes; ++k) {
    float sum = at(s.c, bias)[k];
    for (int f = 0; f < features; ++f)
      sum += x[f] * at(s.c, kernel)[kernel_index(f, k)];
    s.logits()[sample * classes + k] = sum;
  }
  return 0;
}

template <typename Body> void profiled(sinter_context *c, int index, Body body) {
  const double begin = c->profile ? sinter_profile_begin() : 0;
  body();
  if (c->profile)
    sinter_profile_end(c, index, begin, 1);
}

void dense(Step &s, int index) {
  profiled(s.c, index, [&] {
    halide_do_par_for(s.c->pool, dense_sample, 0, s.n, reinterpret_cast<uint8_t *>(&s));
  });
}

// Logits become probabilities; returns the sum of the losses and of the right answers.
void softmax(Step &s, int index, float *metrics) {
  profiled(s.c, index, [&] {
    float loss = 0;
    int right = 0;
    for (int i = 0; i < s.n; ++i) {
      float *p = s.logits() + i * classes, sum = 0;
      const float top = std::fmax(std::fmax(p[0], p[1]), p[2]);
      int best = 0;
      for (int k = 1; k < classes; ++k)
        best = p[k] > p[best] ? k : best;
      for (int k = 0; k < classes; ++k)
        sum += p[k] = std::exp(p[k] - top);
      for (int k = 0; k < classes; ++k)
        p[k] /= sum;
      if (s.labels) {
        loss += s.losses()[i] = -std::log(p[s.labels[i]]);
        right += best == s.labels[i];
      }
    }
    if (metrics) {
      metrics[0] = loss / static_cast<float>(s.n);
      metrics[1] = static_cast<float>(right) / static_cast<float>(s.n);
    }
  });
}

int gradient_of_class(void *, int k, uint8_t *closure) {
  const Step &s = *reinterpret_cast<Step *>(closure);
  const auto error = [&](int i) {
    return (s.logits()[i * classes + k] - (s.labels[i] == k ? 1.0f : 0.0f)) /
           static_cast<float>(s.n);
  };
  s.bias_gradient()[k] = 0;
  for (int i = 0; i < s.n; ++i)
    s.bias_gradient()[k] += error(i);
  for (int f = 0; f < features; ++f) {
    float sum = 0;
    for (int i = 0; i < s.n; ++i)
      sum += error(i) * s.x[int64_t{i} * features + f];
    s.kernel_gradient()[kernel_index(f, k)] = sum;
  }
  return 0;
}

void update(Step &s, int index) {
  profiled(s.c, index, [&] {
    halide_do_par_for(s.c->pool, gradient_of_class, 0, classes, reinterpret_cast<uint8_t *>(&s));
    const auto apply = [&](int parameter, int state, const float *gradient, int64_t i) {
      float &velocity = at(s.c, state)[i];
      velocity = momentum * velocity - s.c->learning_rate * gradient[i];
      at(s.c, parameter)[i] += velocity;
    };
    for (int k = 0; k < classes; ++k) {
      apply(bias, bias_momentum, s.bias_gradient(), k);
      for (int f = 0; f < features; ++f)
        apply(kernel, kernel_momentum, s.kernel_gradient(), kernel_index(f, k));
    }
  });
}

void add_noise(Step &s, int index) {
  profiled(s.c, index, [&] {
    for (int i = 0; i < s.n * features; ++i) {
      const uint32_t counter[4] = {static_cast<uint32_t>(i), s.c->rng[2], s.c->rng[3], 0};
      uint32_t words[4];
      sinter_philox(counter, s.c->rng, words);
      s.input()[i] = s.x[i] + noise * sinter_unit_float(words[0]);
    }
    s.x = s.input();
  });
}

int infer(sinter_context *c, void *const *inputs, int32_t n, void *const *outputs) {
  const int status = sinter_check_infer(c, inputs, n, outputs);
  if (status != SINTER_OK)
    return status;
  Step s{c, static_cast<const float *>(inputs[0]), nullptr, n};
  dense(s, 0);
  softmax(s, 1, nullptr);
  for (int i = 0; i < n; ++i)
    std::memcpy(static_cast<float *>(outputs[0]) + i * classes, s.logits() + i * classes,
                classes * sizeof(float));
  return SINTER_OK;
}

int eval_step(sinter_context *c, void *const *inputs, void *const *labels, int32_t n,
              float *metrics) {
  const int status = sinter_check_step(c, SINTER_EVAL, inputs, labels, n);
  if (status != SINTER_OK)
    return status;
  Step s{c, static_cast<const float *>(inputs[0]), static_cast<const int32_t *>(labels[0]), n};
  dense(s, 0);
  softmax(s, 1, metrics);
  return SINTER_OK;
}

int train_step(sinter_context *c, void *const *inputs, void *const *labels, int32_t n,
               float *metrics) {
  const int status = sinter_check_step(c, SINTER_TRAIN, inputs, labels, n);
  if (status != SINTER_OK)
    return status;
  sinter_begin_train_step(c);
  Step s{c, static_cast<const float *>(inputs[0]), static_cast<const int32_t *>(labels[0]), n};
  add_noise(s, 0);
  dense(s, 1);
  softmax(s, 2, metrics);
  update(s, 3);
  return SINTER_OK;
}

constexpr sinter_value logits_value = {0, 0, classes, SINTER_REGION_PER_SAMPLE, 0, 0, 0};
constexpr sinter_value softmax_values[] = {
    logits_value, {losses_offset, 0, 1, SINTER_REGION_PER_SAMPLE, 0, 0, 0}};
constexpr sinter_value input_value = {logits_bytes, 0, features, SINTER_REGION_PER_SAMPLE, 0, 0, 0};
constexpr sinter_value kernel_value = {
    0, int64_t{features} * padded, 0, SINTER_REGION_PARAMETERS, 0, 0, 0};

#define TINY_DENSE                                                                                 \
  {                                                                                                \
    "dense.0", "matmul+bias_add", "dense", "plain loops", 2.0 * features *classes, 0,              \
        4.0 * features, 0, &logits_value, 1                                                        \
  }
#define TINY_SOFTMAX(outputs)                                                                      \
  {                                                                                                \
    "softmax.0", "softmax_cross_entropy", "dense", "plain loops", 5.0 * classes, 0, 4.0 * classes, \
        0, softmax_values, outputs                                                                 \
  }

constexpr sinter_kernel forward_kernels[] = {TINY_DENSE, TINY_SOFTMAX(1)};
constexpr sinter_kernel train_kernels[] = {
    {"noise.0", "add", "noise", "plain loops", features, 0, 8.0 * features, 0, &input_value, 1},
    TINY_DENSE,
    TINY_SOFTMAX(2),
    {"update.0", "matmul_gradient+sgd", "dense", "plain loops", 2.0 * features *classes, 0, 0,
     16.0 * features *classes, &kernel_value, 1}};

constexpr const char *metric_names[] = {"loss", "accuracy"};
constexpr const char *class_names[] = {"low", "middle", "high"};
constexpr sinter_scaling scaling[] = {{SINTER_DIVIDE, 255.0f}};
constexpr sinter_subset_step split_train[] = {{SINTER_SUBSET_SPLIT_TRAIN, 1, 0, 0, 0.2, 42}};
constexpr sinter_subset_step split_test[] = {{SINTER_SUBSET_SPLIT_TEST, 1, 0, 0, 0.2, 42}};
constexpr const char *variant_names[] = {"x86-64", "avx2"};

sinter_parameter parameter(const char *name, int rank, int64_t offset, int role, int initializer) {
  sinter_parameter p{};
  p.name = name;
  p.rank = rank;
  p.dims[0] = rank == 2 ? features : classes;
  p.dims[1] = classes;
  p.block = block;
  p.offset = offset;
  p.bytes = int64_t{4} * padded * (rank == 2 ? features : 1);
  p.role = role;
  p.initializer = initializer;
  p.a = -0.1f;
  p.b = 0.1f;
  return p;
}

} // namespace

Model::Model() : parameters{}, input{}, label{}, output{}, training{}, data{}, model{} {
  input = {"image", "x", {height, width, 1}, 0, 3, SINTER_F32, 1, 0, 0};
  label = {"label", "labels", {}, classes, 0, SINTER_I32, 1, 0, 0};
  output = {"prediction", "y", {classes}, 0, 1, SINTER_F32, 1, 1, 0};
  parameters[kernel] = parameter("dense/kernel", 2, 0, SINTER_ROLE_WEIGHT, SINTER_INIT_UNIFORM);
  parameters[bias] = parameter("dense/bias", 1, 512, SINTER_ROLE_WEIGHT, SINTER_INIT_ZEROS);
  parameters[kernel_momentum] =
      parameter("dense/kernel/momentum", 2, 576, SINTER_ROLE_OPTIMIZER, SINTER_INIT_ZEROS);
  parameters[bias_momentum] =
      parameter("dense/bias/momentum", 1, 1088, SINTER_ROLE_OPTIMIZER, SINTER_INIT_ZEROS);
  training.epochs = 4;
  training.batch_size = 16;
  training.shuffle = 1;
  training.learning_rate = 0.05f;
  for (sinter_monitor &monitor : training.monitors)
    monitor.validation = 1;
  data.dataset = "";
  data.scaling = scaling;
  data.scaling_count = 1;
  data.train = {0, 1, split_train};
  data.validation = {0, 1, split_test};
  data.test = {1, 0, nullptr};
  data.class_names = class_names;
  data.class_count = classes;
  model.abi = SINTER_ABI;
  model.name = "tiny";
  model.target = "host";
  model.description = "{\"model\": \"tiny\", \"total_params\": 93, \"layers\": []}";
  model.model_text = "model \"tiny\" {\n}\n";
  model.parameters = parameters;
  model.parameter_count = parameter_count;
  model.parameter_bytes = 1152;
  model.trainable_bytes = 576;
  model.inputs = &input;
  model.labels = &label;
  model.outputs = &output;
  model.input_count = model.label_count = model.output_count = 1;
  model.batched = 1;
  model.metric_count = 2;
  model.metric_names = metric_names;
  model.phases[SINTER_INFER] = {forward_kernels, 2, INT32_MAX, arena_fixed, arena_per_sample, 0, 0};
  model.phases[SINTER_EVAL] = {forward_kernels, 2, INT32_MAX, arena_fixed, arena_per_sample, 0, 0};
  model.phases[SINTER_TRAIN] = {train_kernels, 4, INT32_MAX, arena_fixed, arena_per_sample, 0, 0};
  model.variant_names = variant_names;
  model.variant_count = 2;
  model.training = &training;
  model.data = &data;
  model.infer = infer;
  model.eval_step = eval_step;
  model.train_step = train_step;
}

Context::Context(const sinter_model &model, int max_batch, int threads, uint64_t seed) {
  const size_t bytes = sinter_context_bytes(&model, max_batch, SINTER_TRAIN);
  memory = std::aligned_alloc(SINTER_ALIGNMENT, bytes);
  status = sinter_context_create(&model, memory, bytes, max_batch, SINTER_TRAIN, threads, seed,
                                 &context);
}

Context::~Context() {
  sinter_context_destroy(context);
  std::free(memory);
}

std::vector<float> logical(const Context &c, int parameter) {
  const sinter_parameter &p = c->model->parameters[parameter];
  std::vector<float> values(static_cast<size_t>(sinter_parameter_elements(&p)));
  sinter_unpack_parameter(&p, at(c.context, parameter), values.data());
  return values;
}

} // namespace tiny
