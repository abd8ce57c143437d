#include "backends/program/model_tables.h"

#include "backends/program/device_variants.h"
#include "backends/program/kernel_facts.h"
#include "backends/program/parameter_table.h"
#include "backends/program/weights_object.h"
#include "runtime/sinter_runtime.h"

#include <algorithm>
#include <limits>
#include <map>

namespace sinter {

namespace {

using Constants = std::vector<llvm::Constant *>;

class TableWriter {
public:
  TableWriter(ModuleWriter &module, const CompiledProgram &compiled)
      : m_(module), abi_(module.abi), compiled_(compiled), program_(compiled.program) {}

  llvm::Constant *ports(const char *name, const std::vector<Port> &);
  llvm::Constant *parameters(const WeightOffsets &);
  llvm::Constant *phases();
  llvm::Constant *plateau(const std::optional<PlateauSpec> &);
  llvm::Constant *training();
  llvm::Constant *data();
  llvm::Constant *metric_names();
  llvm::Constant *variant_names();
  llvm::Constant *device();
  llvm::Constant *dims(const Shape &shape);

private:
  llvm::Constant *make(llvm::StructType *type, const Constants &fields) {
    return llvm::ConstantStruct::get(type, fields);
  }
  llvm::Constant *kernel(const CompiledPhase &, size_t index);
  llvm::Constant *kernel_outputs(const Plan &, const Kernel &, int64_t &count);
  llvm::Constant *subset(const Subset &);
  llvm::Constant *subset_step(const SubsetStep &);
  llvm::Constant *monitor(const Monitor &);

  ModuleWriter &m_;
  const Abi &abi_;
  const CompiledProgram &compiled_;
  const Program &program_;
};

llvm::Constant *TableWriter::dims(const Shape &shape) {
  int64_t padded[SINTER_MAX_RANK];
  copy_dims(shape, padded);
  Constants extents;
  for (const int64_t extent : padded)
    extents.push_back(m_.int64(extent));
  return llvm::ConstantArray::get(llvm::ArrayType::get(abi_.i64, SINTER_MAX_RANK), extents);
}

sinter_element element_of(ElementType element) {
  switch (element) {
  case ElementType::f32:
    return SINTER_F32;
  case ElementType::i32:
    return SINTER_I32;
  case ElementType::u8:
    return SINTER_U8;
  }
  SINTER_UNREACHABLE("element type {}", static_cast<int>(element));
}

llvm::Constant *TableWriter::ports(const char *name, const std::vector<Port> &ports) {
  Constants rows;
  for (const Port &port : ports) {
    const Shape shape = sample_shape(port.type);
    rows.push_back(
        make(abi_.port, {m_.text(port.name), m_.text(port.argument), dims(shape),
                         m_.int64(port.class_limit), m_.int32(static_cast<int64_t>(shape.size())),
                         m_.int32(element_of(port.type.element)), m_.int32(port.type.batched()),
                         m_.int32(port.is_probability), m_.int32(port.channels_first)}));
  }
  return m_.table(name, abi_.port, rows);
}

llvm::Constant *TableWriter::parameters(const WeightOffsets &weights) {
  llvm::Constant *symbol = weights.empty() ? nullptr : declare_weights(m_);
  Constants rows;
  for (const sinter_parameter &p : parameter_table(program_)) {
    const auto found = weights.find(p.name);
    llvm::Constant *initial = m_.null();
    if (found != weights.end())
      initial =
          llvm::ConstantExpr::getInBoundsGetElementPtr(abi_.i8, symbol, m_.int64(found->second));
    const Shape shape(p.dims, p.dims + p.rank);
    rows.push_back(
        make(abi_.parameter, {m_.text(p.name), dims(shape), m_.int64(p.block), m_.int64(p.offset),
                              m_.int64(p.bytes), m_.int32(p.rank), m_.int32(p.role),
                              m_.int32(p.initializer), m_.float32(p.a), m_.float32(p.b), initial}));
  }
  return m_.table("parameters", abi_.parameter, rows);
}

// Where the kernel's float32 results lie, for the search of a NaN's origin. The prediction lies
// in the caller's memory and is left out.
llvm::Constant *TableWriter::kernel_outputs(const Plan &plan, const Kernel &kernel,
                                            int64_t &count) {
  static const std::map<Region, sinter_region> regions = {
      {Region::parameter, SINTER_REGION_PARAMETERS},
      {Region::arena_fixed, SINTER_REGION_FIXED},
      {Region::arena_batch, SINTER_REGION_PER_SAMPLE}};
  Constants rows;
  for (const NodeId id : kernel.outputs) {
    const TensorType &type = plan.graph.type(id);
    const Location location = plan.locate(id);
    const Placement &place = plan.placements[static_cast<size_t>(location.owner.index)];
    const auto region = regions.find(place.region);
    if (type.element != ElementType::f32 || region == regions.end())
      continue;
    const int64_t elements = type.storage_elements();
    rows.push_back(
        make(abi_.value, {m_.int64(place.offset), m_.int64(type.batched() ? 0 : elements),
                          m_.int64(type.batched() ? elements : 0), m_.int32(region->second),
                          m_.int32(location.pitch > 0 ? type.shape.back() : 0),
                          m_.int32(location.pitch), m_.int32(location.begin)}));
  }
  count = static_cast<int64_t>(rows.size());
  return m_.table("outputs", abi_.value, rows);
}

llvm::Constant *TableWriter::kernel(const CompiledPhase &phase, size_t index) {
  const Kernel &kernel = phase.plan->kernels[index];
  const KernelFacts facts = kernel_facts(*phase.plan, kernel);
  int64_t output_count = 0;
  llvm::Constant *outputs = kernel_outputs(*phase.plan, kernel, output_count);
  // Variants may choose other tiles; the best one's name stands for all.
  const std::string &algorithm = phase.kernels.back()[index].algorithm;
  return make(abi_.kernel, {m_.text(kernel.name), m_.text(facts.ops), m_.text(facts.layers),
                            m_.text(algorithm), m_.float64(facts.flops_per_sample),
                            m_.float64(facts.flops_fixed), m_.float64(facts.bytes_per_sample),
                            m_.float64(facts.bytes_fixed), outputs, m_.int32(output_count)});
}

/// The largest batch whose every buffer a kernel can address with an int32, in all variants.
int64_t largest_batch(const CompiledPhase &phase) {
  int64_t elements = 1;
  for (const std::vector<KernelObject> &variant : phase.kernels)
    for (const KernelObject &kernel : variant)
      elements = std::max(elements, kernel.elements_per_sample);
  return std::numeric_limits<int32_t>::max() / elements;
}

llvm::Constant *TableWriter::phases() {
  Constants rows;
  for (const int number : {SINTER_INFER, SINTER_EVAL, SINTER_TRAIN}) {
    const CompiledPhase &phase = compiled_.phases[number];
    if (phase.plan == nullptr) {
      rows.push_back(llvm::ConstantAggregateZero::get(abi_.phase_info));
      continue;
    }
    Constants kernels;
    for (size_t i = 0; i < phase.plan->kernels.size(); ++i)
      kernels.push_back(kernel(phase, i));
    rows.push_back(make(
        abi_.phase_info,
        {m_.table("kernels", abi_.kernel, kernels), m_.int32(static_cast<int64_t>(kernels.size())),
         m_.int32(largest_batch(phase)), m_.int64(phase.plan->arena_fixed),
         m_.int64(phase.plan->arena_per_sample), m_.int64(phase.plan->micro_batch_per_sample),
         m_.int64(phase.plan->micro_batch_most)}));
  }
  return llvm::ConstantArray::get(llvm::ArrayType::get(abi_.phase_info, rows.size()), rows);
}

llvm::Constant *TableWriter::monitor(const Monitor &monitor) {
  return make(abi_.monitor, {m_.int32(monitor.metric), m_.int32(monitor.validation),
                             m_.int32(monitor.maximize), m_.float32(monitor.min_delta)});
}

llvm::Constant *TableWriter::plateau(const std::optional<PlateauSpec> &spec) {
  if (!spec)
    return m_.null();
  return m_.global("plateau",
                   make(abi_.plateau, {monitor(compiled_.interface.plateau),
                                       m_.float64(spec->factor), m_.float32(spec->min_rate),
                                       m_.int32(spec->patience), m_.int32(spec->cooldown)}));
}

llvm::Constant *TableWriter::training() {
  if (!program_.train)
    return m_.null();
  const TrainingSpec &spec = *program_.model.training;
  const bool stops = spec.early_stopping.has_value();
  llvm::Constant *monitors = llvm::ConstantArray::get(
      llvm::ArrayType::get(abi_.monitor, 2),
      {monitor(compiled_.interface.stopping), monitor(compiled_.interface.checkpoint)});
  Constants rates;
  if (spec.epoch_rates)
    for (const float rate : spec.epoch_rates->values)
      rates.push_back(m_.float32(rate));
  return m_.global(
      "training",
      make(abi_.training, {m_.int32(spec.epochs), m_.int32(spec.batch_size), m_.int32(spec.shuffle),
                           m_.float32(spec.optimizer.learning_rate), m_.int32(stops),
                           m_.int32(stops ? effective_patience(*spec.early_stopping) : 0),
                           m_.int32(spec.checkpoint && !spec.checkpoint->save_best_only), monitors,
                           plateau(spec.plateau), m_.table("epoch_rates", abi_.f32, rates),
                           m_.int32(static_cast<int64_t>(rates.size()))}));
}

llvm::Constant *TableWriter::subset_step(const SubsetStep &step) {
  static const std::map<std::string, sinter_subset_op> ops = {
      {"slice", SINTER_SUBSET_SLICE},
      {"split_train", SINTER_SUBSET_SPLIT_TRAIN},
      {"split_test", SINTER_SUBSET_SPLIT_TEST},
      {"head_fraction", SINTER_SUBSET_HEAD_FRACTION},
      {"tail_fraction", SINTER_SUBSET_TAIL_FRACTION}};
  const auto op = ops.find(step.op);
  SINTER_ASSERT(op != ops.end(), "subset step {}", step.op);
  return make(abi_.subset_step,
              {m_.int32(op->second), m_.int32(step.shuffle), m_.int64(step.start),
               m_.int64(step.stop), m_.float64(step.test_size), m_.int64(step.random_state)});
}

llvm::Constant *TableWriter::subset(const Subset &subset) {
  Constants steps;
  for (const SubsetStep &step : subset.steps)
    steps.push_back(subset_step(step));
  const int source = subset.source.empty() ? -1 : subset.source == "train" ? 0 : 1;
  return make(abi_.subset, {m_.int32(source), m_.int32(static_cast<int64_t>(steps.size())),
                            m_.table("subset_steps", abi_.subset_step, steps)});
}

std::vector<std::string> class_names(const std::string &dataset) {
  if (dataset == "fashion_mnist") // https://github.com/zalandoresearch/fashion-mnist#labels
    return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
            "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  if (dataset == "mnist")
    return {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  return {};
}

llvm::Constant *TableWriter::data() {
  if (!program_.model.data)
    return m_.null();
  static const std::map<std::string, sinter_scaling_op> ops = {{"multiply", SINTER_MULTIPLY},
                                                               {"divide", SINTER_DIVIDE},
                                                               {"add", SINTER_ADD},
                                                               {"subtract", SINTER_SUBTRACT}};
  const DataSpec &data = *program_.model.data;
  Constants scaling;
  for (const ScalingStep &step : data.scaling) {
    const auto op = ops.find(step.op);
    SINTER_ASSERT(op != ops.end(), "scaling step {}", step.op);
    scaling.push_back(make(abi_.scaling, {m_.int32(op->second), m_.float32(step.value)}));
  }
  Constants names;
  for (const std::string &name : class_names(data.dataset))
    names.push_back(m_.text(name));
  return m_.global(
      "data", make(abi_.data,
                   {m_.text(data.dataset), m_.table("scaling", abi_.scaling, scaling),
                    m_.int32(static_cast<int64_t>(scaling.size())),
                    m_.int32(data.reconstruct ? 1 : 0), subset(data.train), subset(data.validation),
                    subset(data.test), m_.table("class_names", abi_.pointer, names),
                    m_.int32(static_cast<int64_t>(names.size()))}));
}

llvm::Constant *TableWriter::metric_names() {
  Constants names;
  for (const std::string &name : compiled_.interface.metrics)
    names.push_back(m_.text(name));
  return m_.table("metric_names", abi_.pointer, names);
}

llvm::Constant *TableWriter::variant_names() {
  Constants names;
  for (const Variant &variant : compiled_.variants)
    names.push_back(m_.text(variant.name));
  return m_.table("variant_names", abi_.pointer, names);
}

/// The runtime's record of what runs the device's variants.
llvm::Constant *TableWriter::device() {
  if (count_device_variants(compiled_) == 0)
    return m_.null();
  auto *kind = llvm::cast<llvm::GlobalVariable>(
      m_.module.getOrInsertGlobal(device_symbol(compiled_), abi_.i8));
  kind->setVisibility(llvm::GlobalValue::HiddenVisibility);
  return kind;
}

llvm::Constant *model_text(ModuleWriter &m, const Program &program) {
  return program.model_text.empty() ? m.null() : m.text(program.model_text);
}

} // namespace

llvm::GlobalVariable *emit_model_tables(ModuleWriter &m, const CompiledProgram &compiled,
                                        const std::string &description,
                                        const WeightOffsets &weights,
                                        const ModelFunctions &functions) {
  TableWriter tables(m, compiled);
  const Program &program = compiled.program;
  const Interface &interface = compiled.interface;
  const auto count = [&](const std::vector<Port> &ports) {
    return m.int32(static_cast<int64_t>(ports.size()));
  };
  const auto function = [&](llvm::Function *f) -> llvm::Constant * {
    return f != nullptr ? static_cast<llvm::Constant *>(f) : m.null();
  };
  return m.global("model",
                  llvm::ConstantStruct::get(
                      m.abi.model, {m.int32(SINTER_ABI),
                                    m.text(compiled.prefix),
                                    m.text(compiled.target),
                                    m.text(description),
                                    model_text(m, program),
                                    tables.parameters(weights),
                                    m.int32(static_cast<int64_t>(parameter_table(program).size())),
                                    m.int64(program.parameter_bytes),
                                    m.int64(trainable_bytes(program)),
                                    tables.ports("inputs", interface.inputs),
                                    tables.ports("labels", interface.labels),
                                    tables.ports("outputs", interface.outputs),
                                    count(interface.inputs),
                                    count(interface.labels),
                                    count(interface.outputs),
                                    m.int32(interface.batched()),
                                    m.int32(static_cast<int64_t>(interface.metrics.size())),
                                    tables.metric_names(),
                                    tables.phases(),
                                    tables.variant_names(),
                                    m.int32(static_cast<int64_t>(compiled.variants.size())),
                                    m.int32(count_device_variants(compiled)),
                                    tables.device(),
                                    tables.training(),
                                    tables.data(),
                                    function(functions.infer),
                                    function(functions.eval_step),
                                    function(functions.train_step),
                                    function(functions.train_loop)}));
}

} // namespace sinter
