#include "backends/program/header.h"

#include "backends/program/parameter_table.h"
#include "runtime/sinter_runtime.h"

#include <algorithm>
#include <map>

namespace sinter {

namespace {

// In these texts @p@ is the prefix, @P@ the same in capitals; the rest is named where it is filled.
using Words = std::map<std::string, std::string>;

std::string fill(const std::string &text, const Words &words) {
  std::string result;
  size_t at = 0;
  while (at < text.size()) {
    const size_t open = text.find('@', at);
    result += text.substr(at, open - at);
    if (open == std::string::npos)
      break;
    const size_t close = text.find('@', open + 1);
    const auto word = words.find(text.substr(open + 1, close - open - 1));
    SINTER_ASSERT(close != std::string::npos && word != words.end(), "header text near: {}",
                  text.substr(open, 20));
    result += word->second;
    at = close + 1;
  }
  return result;
}

constexpr const char *kOpening = R"(/* @model@: the compiled network as a C library, made by Sinter.
 *
 * Every function returns a status (@P@_OK is 0) unless it says otherwise; after another one
 * @p@_last_error() tells why, in the calling thread. Nothing aborts, throws or prints.
 *
 * All memory is the caller's: a context lies in one block of @P@_ALIGNMENT-byte aligned memory
 * of @p@_context_bytes(max_batch, mode) bytes. Only its worker threads and their scratch memory
 * are the library's, until @p@_destroy. A context is for one thread at a time; any number of
 * contexts may be used at once.
 *
 *   size_t bytes = @p@_context_bytes(32, @P@_INFER);
 *   void *memory = aligned_alloc(@P@_ALIGNMENT, bytes);
 *   @p@_context *context;
 *   if (@p@_create(memory, bytes, 32, @P@_INFER, 1, 0, &context) != @P@_OK ||
@load_example@ *       @p@_infer(context, @infer_example@) != @P@_OK)
 *     puts(@p@_last_error());
 *   @p@_destroy(context);
 *   free(memory);
 */
#ifndef @P@_H
#define @P@_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Statuses. */
#define @P@_OK 0
#define @P@_ERROR_INPUT 1     /* an argument or a file's content is at fault */
#define @P@_ERROR_MEMORY 3    /* too little memory */
#define @P@_ERROR_IO 4        /* a file cannot be read or written */
#define @P@_ERROR_INTERNAL 70 /* a bug in Sinter */

/* What a context is for; each mode includes those before it. */
#define @P@_INFER 0
)";

constexpr const char *kSizes = R"(
#define @P@_ALIGNMENT @alignment@ /* of a context's memory */
#define @P@_PARAMETERS @parameters@ /* trained and not */

/* Elements of one sample; a batch of n is n samples one after another, row-major.@unbatched@ */
@sizes@)";

constexpr const char *kMetrics = R"(#define @P@_METRICS @metric_count@ /* @metric_names@ */
)";

constexpr const char *kContexts = R"(
typedef struct @p@_context @p@_context;

/* Bytes of memory that a context needs; 0 when an argument is out of range. */
size_t @p@_context_bytes(int32_t max_batch, int32_t mode);

/* Makes a context in `memory`, for batches of at most `max_batch`, with `threads` threads (0: one
 * a processor) and parameters initialised from `seed`. The results do not depend on `threads`. */
int @p@_create(void *memory, size_t bytes, int32_t max_batch, int32_t mode,
               int32_t threads, uint64_t seed, @p@_context **context);

/* Ends the context's threads; its memory is the caller's again. */
void @p@_destroy(@p@_context *context);

/* As after creation with this seed: initial parameters, no optimizer state, no step done. */
int @p@_initialize(@p@_context *context, uint64_t seed);

int @p@_set_threads(@p@_context *context, int32_t threads);

/* @infer_meaning@ */
@infer@
)";

constexpr const char *kEvaluation = R"(
/* metrics = @P@_METRICS means over the n samples, or NULL. Changes no parameter. */
@eval_step@
)";

constexpr const char *kTraining = R"(
/* One step of the optimizer on n samples. The metrics are those before the step. */
@train_step@

/* For the steps to come; at first @learning_rate@@schedule_note@. */
int @p@_set_learning_rate(@p@_context *context, float learning_rate);
)";

constexpr const char *kClosing = R"(
/* All parameters but the optimizer's state, as safetensors; a file is never half-written. */
int @p@_save(const @p@_context *context, const char *path);
int @p@_load(@p@_context *context, const char *path);

/* A JSON object: shapes, layers, parameters, training settings, memory. */
const char *@p@_describe(void);

/* What was chosen to run on, an instruction set or a device: @variants@. */
const char *@p@_variant(const @p@_context *context);

/* Why the last function of this thread that failed did so; "" when none has. */
const char *@p@_last_error(void);

#ifdef __cplusplus
}
#endif
#endif
)";

template <typename List, typename Word> std::string joined(const List &list, const Word &word) {
  std::string result;
  for (const auto &element : list)
    result += (result.empty() ? "" : ", ") + word(element);
  return result;
}

// Inside a comment: nothing may end it, and an unusual byte might not be the compiler's charset.
std::string comment_text(const std::string &text) {
  std::string result;
  for (const char c : text)
    result += c >= ' ' && c < 127 && c != '/' ? c : '_';
  return result;
}

const char *c_type(ElementType element) {
  switch (element) {
  case ElementType::f32:
    return "float";
  case ElementType::i32:
    return "int32_t";
  case ElementType::u8:
    return "uint8_t";
  }
  SINTER_UNREACHABLE("element type {}", static_cast<int>(element));
}

/// "float [n][28][28][1]"
std::string tensor_text(const TensorType &type) {
  std::string text = c_type(type.element);
  text += type.shape.empty() ? "" : " ";
  for (const int64_t extent : type.shape)
    text += extent == kBatch ? "[n]" : fmt::format("[{}]", extent);
  return text;
}

/// The macros of one sort of tensors; of several also how many there are and their names.
std::string size_macros(const std::vector<Port> &ports, const char *plural) {
  std::string text;
  if (ports.size() != 1)
    text += fmt::format("#define @P@_{} {}\n", plural, ports.size());
  for (const Port &port : ports) {
    const std::string name =
        ports.size() > 1 ? fmt::format("\"{}\": ", comment_text(port.name)) : "";
    const std::string range =
        port.class_limit > 0 ? fmt::format(", 0 to {}", port.class_limit - 1) : "";
    text += fmt::format("#define @P@_{}_ELEMENTS {} /* {}{}{} */\n", port.macro,
                        port.type.elements(), name, tensor_text(port.type), range);
  }
  return text;
}

std::string size_macros(const Interface &interface) {
  std::string text = size_macros(interface.inputs, "INPUTS");
  text += size_macros(interface.outputs, "OUTPUTS");
  return interface.labels.empty() ? text : text + size_macros(interface.labels, "LABELS");
}

std::vector<std::string> parameters(const std::vector<Port> &ports, const char *qualifier) {
  std::vector<std::string> list;
  for (const Port &port : ports)
    list.push_back(fmt::format("{}{} *{}", qualifier, c_type(port.type.element), port.argument));
  return list;
}

/// "int PREFIX_name(PREFIX_context *context, ...);", its lines not too long to read.
std::string prototype(const std::string &prefix, const char *name,
                      const std::vector<std::vector<std::string>> &parameter_lists) {
  constexpr size_t kColumns = 90;
  const std::string indent(15, ' ');
  std::string text;
  std::string line = fmt::format("int {}_{}({}_context *context", prefix, name, prefix);
  for (const std::vector<std::string> &list : parameter_lists)
    for (const std::string &parameter : list) {
      if (line.size() + parameter.size() + 3 > kColumns) {
        text += line + ",\n";
        line = indent + parameter;
      } else {
        line += ", " + parameter;
      }
    }
  return text + line + ");";
}

std::string step_prototype(const CompiledProgram &compiled, const char *name) {
  return prototype(compiled.prefix, name,
                   {parameters(compiled.interface.inputs, "const "),
                    parameters(compiled.interface.labels, "const "),
                    {"int32_t n", "float *metrics"}});
}

std::string argument_list(const std::vector<Port> &ports) {
  return joined(ports, [](const Port &port) { return port.argument; });
}

Words step_words(const CompiledProgram &compiled) {
  const Interface &interface = compiled.interface;
  const std::string inputs = argument_list(interface.inputs);
  const std::string outputs = argument_list(interface.outputs);
  const std::string plural = interface.outputs.size() > 1 ? "s" : "";
  const std::string source = inputs.empty() ? "" : " for " + inputs;
  const std::string batch = interface.batched() ? "n samples each, 1 <= n <= max_batch."
                                                : "there is no batch, so n must be 1.";
  return {
      {"infer_example", (inputs.empty() ? "" : inputs + ", ") + "1, " + outputs},
      {"infer_meaning", fmt::format("{} = the prediction{}{}: {}", outputs, plural, source, batch)},
      {"infer", prototype(compiled.prefix, "infer",
                          {parameters(interface.inputs, "const "),
                           {"int32_t n"},
                           parameters(interface.outputs, "")})},
      {"eval_step", step_prototype(compiled, "eval_step")},
      {"train_step", step_prototype(compiled, "train_step")}};
}

bool has_unbatched(const Interface &interface) {
  for (const std::vector<Port> *ports : {&interface.inputs, &interface.outputs})
    for (const Port &port : *ports)
      if (!port.type.batched())
        return true;
  return false;
}

std::string mode_macros(const CompiledProgram &compiled) {
  std::string text;
  if (compiled.program.eval)
    text += "#define @P@_EVAL 1\n";
  if (compiled.program.train)
    text += "#define @P@_TRAIN 2\n";
  return text;
}

/// min(n * micro_batch_per_sample, micro_batch_most)
std::string micro_batch_term(const ContextBytes &bytes) {
  if (bytes.micro_batch_per_sample == 0)
    return "";
  return fmt::format(" + \\\n    ((size_t)(n) < {0}u ? (size_t)(n) * (size_t){1}u : (size_t){2}u)",
                     bytes.micro_batch_most / bytes.micro_batch_per_sample,
                     bytes.micro_batch_per_sample, bytes.micro_batch_most);
}

std::string memory_macros(const CompiledProgram &compiled) {
  std::string text = "\n/* At least @p@_context_bytes(n, mode), for static memory. */\n";
  static constexpr const char *kModes[] = {"INFER", "EVAL", "TRAIN"};
  for (const int phase : {SINTER_INFER, SINTER_EVAL, SINTER_TRAIN}) {
    if (compiled.phases[phase].plan == nullptr)
      continue;
    const ContextBytes bytes = context_bytes(compiled, phase);
    text += fmt::format("#define @P@_{}_BYTES(n) ((size_t){}u + (size_t)(n) * (size_t){}u{})\n",
                        kModes[phase], bytes.fixed, bytes.per_sample, micro_batch_term(bytes));
  }
  return text;
}

int64_t parameter_count(const Program &program) {
  int64_t count = 0;
  for (const ParameterSlot &slot : program.parameters)
    if (slot.attrs.role == "weight" || slot.attrs.role == "statistic")
      count += slot.attrs.type.elements();
  return count;
}

uint64_t round_up(int64_t bytes) {
  const auto alignment = uint64_t{SINTER_ALIGNMENT};
  return (static_cast<uint64_t>(bytes) + alignment - 1) / alignment * alignment;
}

Words header_words(const CompiledProgram &compiled, const std::string &file) {
  const Interface &interface = compiled.interface;
  Words words = {
      {"p", compiled.prefix},
      {"P", capitals(compiled.prefix)},
      {"file", comment_text(file)},
      {"model", comment_text(compiled.program.model.name)},
      {"alignment", std::to_string(SINTER_ALIGNMENT)},
      {"parameters", std::to_string(parameter_count(compiled.program))},
      {"unbatched", has_unbatched(interface) ? "\n * One without [n] is the same for any n." : ""},
      {"sizes", ""},
      {"variants", joined(compiled.variants, [](const Variant &v) { return v.name; })}};
  words["metric_count"] = std::to_string(interface.metrics.size());
  words["metric_names"] = joined(interface.metrics, comment_text);
  const Words steps = step_words(compiled);
  words.insert(steps.begin(), steps.end());
  words["sizes"] = fill(size_macros(interface), words);
  if (compiled.program.train) {
    const OptimizerSpec &optimizer = compiled.program.model.training->optimizer;
    words["learning_rate"] = fmt::format("{}", optimizer.learning_rate);
    words["schedule_note"] = optimizer.schedule ? ", times the schedule's factor" : "";
  }
  return words;
}

} // namespace

std::string library_header(const CompiledProgram &compiled, const std::string &file,
                           bool has_weights_file) {
  std::string text = kOpening + mode_macros(compiled) + kSizes;
  if (compiled.program.eval)
    text += kMetrics;
  text += memory_macros(compiled) + kContexts;
  if (compiled.program.eval)
    text += kEvaluation;
  if (compiled.program.train)
    text += kTraining;
  Words words = header_words(compiled, file);
  words["load_example"] =
      has_weights_file
          ? fill(" *       @p@_load(context, \"@file@.safetensors\") != @P@_OK ||\n", words)
          : "";
  return fill(text + kClosing, words);
}

ContextBytes context_bytes(const CompiledProgram &compiled, int phase) {
  sinter_model model{}; // with empty arenas
  model.parameter_bytes = compiled.program.parameter_bytes;
  model.trainable_bytes = trainable_bytes(compiled.program);
  ContextBytes result;
  for (int p = 0; p <= phase; ++p) {
    if (const Plan *plan = compiled.phases[p].plan) {
      result.fixed = std::max(result.fixed, round_up(plan->arena_fixed));
      result.per_sample = std::max(result.per_sample, round_up(plan->arena_per_sample));
      result.micro_batch_per_sample =
          std::max(result.micro_batch_per_sample, round_up(plan->micro_batch_per_sample));
      result.micro_batch_most = std::max(result.micro_batch_most, round_up(plan->micro_batch_most));
    }
  }
  result.fixed += sinter_context_bytes(&model, /*max_batch=*/1, phase);
  return result;
}

} // namespace sinter
