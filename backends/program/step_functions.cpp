// A step is straight-line code: fill the halide_buffer_t's of a kernel, call it through the
// variant's table, test its result. Buffers live in one stack frame that every kernel reuses, as
// kernels run one after another; their dimension tables are constants, but for those with the
// batch, which are built once a call. Long steps are cut into functions of bounded length: LLVM's
// time grows faster than a function does. Such a part runs its kernels for some samples of the
// batch: for all of them, or for one micro-batch after another.
//
// Where a program has variants of a device, addresses go into both of a buffer's fields, of which a
// kernel reads one. A step whose context is on a device hands its parts the tensors there in place
// of the caller's, and has the runtime copy between them.
#include "backends/program/step_functions.h"

#include "backends/program/device_variants.h"
#include "backends/program/kernel_table.h"

#include <algorithm>
#include <map>

namespace sinter {

namespace {

constexpr size_t kKernelsPerFunction = 32;

const char *function_name(sinter_phase phase) {
  static constexpr const char *kNames[] = {"infer", "eval_step", "train_step", "prepare"};
  return kNames[phase];
}

// halide_type_t {u8 code, u8 bits, u16 lanes} as it lies in memory.
int32_t halide_type_word(ElementType element) {
  enum { halide_int = 0, halide_uint = 1, halide_float = 2 };
  const int code = element == ElementType::f32   ? halide_float
                   : element == ElementType::i32 ? halide_int
                                                 : halide_uint;
  return code | static_cast<int32_t>(byte_size(element) * 8) << 8 | 1 << 16;
}

// Kernels that follow each other, [first, last), and run for so many samples at a time; 0: all.
struct KernelRange {
  size_t first, last;
  int64_t samples;
};

// The functions of a range, to be called one after another.
struct StepPart {
  KernelRange range;
  std::vector<llvm::Function *> functions;
};

// Writes one function with the signature of a step: the step itself, or a part of it, which runs
// some of the kernels for samples [begin, begin + count) and has these as further parameters.
class StepWriter {
public:
  enum class Extent { step, part };

  StepWriter(ModuleWriter &module, const CompiledProgram &compiled, sinter_phase phase,
             const std::string &name, Extent extent)
      : compiled_(compiled), phase_(phase), extent_(extent), code_(compiled.phases[phase]),
        plan_(*code_.plan),
        w_(module, name, module.abi.i32, parameter_types(module.abi, phase, extent),
           parameter_names(phase, extent).c_str(), llvm::GlobalValue::InternalLinkage) {
    for (llvm::Argument &argument : w_.function()->args())
      part_arguments_.push_back(&argument);
  }

  llvm::Function *write_part(llvm::Constant *kernel_table, const KernelRange &);
  llvm::Function *write_step(const std::vector<StepPart> &parts, llvm::Function *prepare);

private:
  static std::vector<llvm::Type *> parameter_types(const Abi &abi, sinter_phase phase,
                                                   Extent extent) {
    std::vector<llvm::Type *> types{abi.pointer, abi.pointer, abi.pointer, abi.i32, abi.pointer};
    if (phase == SINTER_PREPARE)
      types = {abi.pointer};
    if (phase == SINTER_INFER)
      types = {abi.pointer, abi.pointer, abi.i32, abi.pointer};
    if (extent == Extent::part)
      types.insert(types.end(), {abi.i32, abi.i32});
    return types;
  }
  static std::string parameter_names(sinter_phase phase, Extent extent) {
    const std::string names = phase == SINTER_PREPARE ? "context"
                              : phase == SINTER_INFER ? "context inputs n outputs"
                                                      : "context inputs labels n metrics";
    return extent == Extent::part ? names + " begin count" : names;
  }
  bool has_metrics() const { return phase_ == SINTER_EVAL || phase_ == SINTER_TRAIN; }
  bool has_device() const { return count_device_variants(compiled_) > 0; }
  llvm::Value *context() { return w_.argument(0); }
  llvm::Value *inputs() { return w_.argument(1); }
  llvm::Value *labels() { return w_.argument(2); }
  llvm::Value *batch() {
    if (phase_ == SINTER_PREPARE)
      return w_.int32(1);
    return w_.argument(phase_ == SINTER_INFER ? 2 : 3);
  }
  llvm::Value *begin() { return from_last(2); } // of a part
  llvm::Value *count() { return from_last(1); }
  llvm::Value *from_last(unsigned i) {
    return w_.argument(static_cast<unsigned>(w_.function()->arg_size()) - i);
  }
  llvm::Value *results() { return w_.argument(phase_ == SINTER_INFER ? 3 : 4); } // or metrics
  llvm::Value *load_context(unsigned field) {
    return w_.load_field(w_.abi().context, context(), field);
  }

  void check_arguments();
  void prepare_parameters(llvm::Function *prepare);
  void bring_to_device();
  void bring_from_device();
  std::vector<llvm::Value *> load_ports(llvm::Value *array, size_t count);
  void load_addresses();
  void find_samples(int64_t samples);
  void prepare_calls(llvm::Constant *kernel_table, const KernelRange &);
  void call_parts(const StepPart &);
  llvm::Value *address(NodeId);
  llvm::Value *owner_address(NodeId);
  llvm::Value *whole_address(NodeId);
  llvm::Value *number_address(unsigned field);
  llvm::Value *input_address(const std::vector<Port> &, const std::vector<llvm::Value *> &, NodeId);
  llvm::Value *output_address(NodeId);
  llvm::Value *offset_pointer(llvm::Value *base, llvm::Value *bytes) {
    return w_.element(w_.abi().i8, base, bytes);
  }
  llvm::Value *dimensions(const KernelArgument &);
  void fill_buffer(llvm::Value *buffer, NodeId value, const KernelArgument &argument);
  void fill_device_fields(llvm::Value *buffer, llvm::Value *place);
  void call_kernel(size_t index);
  llvm::Value *metric_address(const std::string &metric);
  void copy_metrics();

  const CompiledProgram &compiled_;
  sinter_phase phase_;
  Extent extent_;
  const CompiledPhase &code_;
  const Plan &plan_;
  FunctionWriter w_;

  std::vector<llvm::Value *> part_arguments_;            // a step's, as its parts get them
  llvm::Value *on_device_ = nullptr;                     // of a step: whether its context is
  std::vector<llvm::Value *> inputs_, labels_, outputs_; // the caller's tensors, by port
  llvm::Value *batch64_ = nullptr;
  llvm::Value *parameters_ = nullptr;
  llvm::Value *arena_ = nullptr;
  llvm::Value *batch_arena_ = nullptr; // arena + arena_fixed
  llvm::Value *micro_arena_ = nullptr; // that + n * arena_per_sample
  llvm::Value *begin64_ = nullptr;     // of a part
  llvm::Value *room64_ = nullptr;      // the samples of its first call
  llvm::Value *is_last_ = nullptr;     // whether the part's samples are the last
  llvm::Value *pool_ = nullptr;
  llvm::Value *profiling_ = nullptr;
  llvm::Value *functions_ = nullptr; // the variant's row of the kernel table
  llvm::Value *frame_ = nullptr;     // halide_buffer_t[]
  std::map<std::pair<Shape, int64_t>, llvm::Value *> dimensions_; // by extents and pitch
};

void StepWriter::check_arguments() {
  if (phase_ == SINTER_INFER)
    w_.return_if_failed(w_.call("sinter_check_infer", {context(), inputs(), batch(), results()}));
  else
    w_.return_if_failed(
        w_.call("sinter_check_step", {context(), w_.int32(phase_), inputs(), labels(), batch()}));
}

// if (!context->prepared) { prepare(context); context->prepared = 1 }
void StepWriter::prepare_parameters(llvm::Function *prepare) {
  llvm::Value *fresh = load_context(context_field::prepared);
  w_.if_then(w_.ir().CreateICmpEQ(fresh, w_.int32(0)), [&] {
    w_.return_if_failed(w_.ir().CreateCall(prepare, {context()}));
    w_.ir().CreateStore(w_.int32(1),
                        w_.field(w_.abi().context, context(), context_field::prepared));
  });
}

// if (context->device) { begin(...) }; the tensors are the device's then
void StepWriter::bring_to_device() {
  on_device_ = w_.ir().CreateIsNotNull(load_context(context_field::device), "on_device");
  w_.if_then(on_device_, [&] {
    llvm::Value *labels_or_null = has_metrics() ? labels() : w_.module().null();
    w_.return_if_failed(w_.call("sinter_device_begin",
                                {context(), w_.int32(phase_), inputs(), labels_or_null, batch()}));
  });
  llvm::Value *tensors = w_.field(w_.abi().context, context(), context_field::device_tensors);
  const auto replace = [&](size_t argument, int64_t list) {
    llvm::Value *there = w_.load_element(w_.abi().pointer, tensors, w_.int32(list));
    part_arguments_[argument] = w_.ir().CreateSelect(on_device_, there, part_arguments_[argument]);
  };
  enum { inputs_list, labels_list, outputs_list }; // of sinter_device_tensors
  replace(1, inputs_list);
  if (has_metrics())
    replace(2, labels_list);
  else
    replace(3, outputs_list);
}

// if (context->device) return end(...)
void StepWriter::bring_from_device() {
  w_.if_then(on_device_, [&] {
    if (!has_metrics()) {
      w_.return_value(w_.call("sinter_device_end_infer", {context(), batch(), results()}));
      return;
    }
    const std::vector<std::string> &metrics = compiled_.interface.metrics;
    llvm::Value *addresses =
        w_.stack(llvm::ArrayType::get(w_.abi().pointer, metrics.size()), "metric_addresses");
    for (size_t k = 0; k < metrics.size(); ++k)
      w_.ir().CreateStore(
          metric_address(metrics[k]),
          w_.element(w_.abi().pointer, addresses, w_.int32(static_cast<int64_t>(k))));
    w_.return_value(w_.call("sinter_device_end_step", {context(), addresses, results()}));
  });
}

// The caller's pointers; those that no kernel asks for, the optimiser drops.
std::vector<llvm::Value *> StepWriter::load_ports(llvm::Value *array, size_t count) {
  std::vector<llvm::Value *> pointers;
  for (size_t i = 0; i < count; ++i)
    pointers.push_back(w_.load_element(w_.abi().pointer, array, w_.int32(static_cast<int64_t>(i))));
  return pointers;
}

void StepWriter::load_addresses() {
  batch64_ = w_.ir().CreateSExt(batch(), w_.abi().i64);
  const Interface &interface = compiled_.interface;
  if (phase_ != SINTER_PREPARE)
    inputs_ = load_ports(inputs(), interface.inputs.size());
  if (phase_ == SINTER_INFER)
    outputs_ = load_ports(results(), interface.outputs.size());
  if (has_metrics())
    labels_ = load_ports(labels(), interface.labels.size());
  parameters_ = load_context(context_field::kernel_parameters);
  arena_ = load_context(context_field::arena);
  batch_arena_ = offset_pointer(arena_, w_.module().int64(plan_.arena_fixed));
}

// Of a part, whose micro-batches have so many samples; 0: all of the batch.
void StepWriter::find_samples(int64_t samples) {
  llvm::Value *all = batch64_;
  llvm::Value *most = w_.module().int64(samples);
  begin64_ = w_.ir().CreateSExt(begin(), w_.abi().i64);
  room64_ = samples == 0 ? all : w_.ir().CreateSelect(w_.ir().CreateICmpSLT(all, most), all, most);
  micro_arena_ = offset_pointer(
      batch_arena_, w_.ir().CreateMul(batch64_, w_.module().int64(plan_.arena_per_sample)));
  llvm::Value *rest = w_.ir().CreateNSWSub(batch(), begin());
  is_last_ = w_.ir().CreateZExt(w_.ir().CreateICmpEQ(rest, count()), w_.abi().i32);
}

void StepWriter::prepare_calls(llvm::Constant *kernel_table, const KernelRange &range) {
  const Abi &abi = w_.abi();
  pool_ = load_context(context_field::pool);
  // A profile counts the kernels of the phase that is measured, which is never preparation.
  profiling_ = phase_ == SINTER_PREPARE
                   ? static_cast<llvm::Value *>(w_.ir().getFalse())
                   : w_.ir().CreateIsNotNull(load_context(context_field::profile), "profiling");

  // With one variant the constant row lets the optimiser call the kernels directly.
  llvm::Value *variant =
      code_.kernels.size() == 1 ? w_.int32(0) : load_context(context_field::variant);
  const auto kernels = static_cast<int64_t>(plan_.kernels.size());
  functions_ = w_.element(abi.pointer, kernel_table, w_.ir().CreateMul(variant, w_.int32(kernels)));

  const std::vector<KernelObject> &kernel_objects = code_.kernels.front();
  size_t most_arguments = 0;
  for (size_t i = range.first; i < range.last; ++i)
    most_arguments = std::max(most_arguments, kernel_objects[i].arguments.size());
  llvm::Type *frame_type = llvm::ArrayType::get(abi.halide_buffer, most_arguments);
  frame_ = w_.stack(frame_type, "buffers");
  const llvm::DataLayout &layout = w_.module().module.getDataLayout();
  if (!has_device()) // fill_buffer does it there
    w_.ir().CreateMemSet(frame_, w_.ir().getInt8(0), layout.getTypeAllocSize(frame_type),
                         llvm::Align(8));
  // Before the first branch, so that every kernel's code sees them.
  for (size_t i = range.first; i < range.last; ++i)
    for (const KernelArgument &argument : kernel_objects[i].arguments)
      dimensions(argument);
}

/// Passes may drop inputs that a phase has no use for, so the names tell which is which.
llvm::Value *StepWriter::input_address(const std::vector<Port> &ports,
                                       const std::vector<llvm::Value *> &pointers, NodeId root) {
  const std::string &input = attrs<InputAttrs>(plan_.graph[root]).name;
  for (size_t i = 0; i < ports.size(); ++i)
    if (ports[i].name == input)
      return pointers[i];
  SINTER_UNREACHABLE("the model has no input {}", input);
}

llvm::Value *StepWriter::output_address(NodeId root) {
  const std::vector<Port> &ports = compiled_.interface.outputs;
  for (size_t i = 0; i < ports.size(); ++i) {
    const NodeId output = plan_.graph.find_output(prediction_output(ports[i].name));
    if (output.valid() && plan_.storage_root(output) == root)
      return outputs_[i];
  }
  SINTER_UNREACHABLE("%{} is no prediction", root.index);
}

llvm::Value *StepWriter::address(NodeId id) {
  const Location location = plan_.locate(id);
  llvm::Value *whole = owner_address(location.owner);
  const int64_t begin = location.begin * byte_size(plan_.graph.type(id).element);
  return begin == 0 ? whole : offset_pointer(whole, w_.module().int64(begin));
}

llvm::Value *StepWriter::owner_address(NodeId root) {
  llvm::Value *first = whole_address(root);
  const TensorType &type = plan_.graph.type(root);
  const Region region = plan_.placements[static_cast<size_t>(root.index)].region;
  if (extent_ == Extent::step || !type.batched() || region == Region::arena_micro_batch)
    return first;
  return offset_pointer(first,
                        w_.ir().CreateMul(begin64_, w_.module().int64(type.storage_bytes())));
}

// Of a field of the context that kernels read: it lies as far behind `numbers` as behind rng.
llvm::Value *StepWriter::number_address(unsigned field) {
  const llvm::StructLayout *layout =
      w_.module().module.getDataLayout().getStructLayout(w_.abi().context);
  const uint64_t offset =
      layout->getElementOffset(field) - layout->getElementOffset(context_field::rng);
  return offset_pointer(load_context(context_field::numbers),
                        w_.module().int64(static_cast<int64_t>(offset)));
}

// Of the value's first sample.
llvm::Value *StepWriter::whole_address(NodeId root) {
  const Placement &place = plan_.placements[static_cast<size_t>(root.index)];
  llvm::Value *offset = w_.module().int64(place.offset);
  switch (place.region) {
  case Region::data:
    return input_address(compiled_.interface.inputs, inputs_, root);
  case Region::label:
    return input_address(compiled_.interface.labels, labels_, root);
  case Region::prediction:
    return output_address(root);
  case Region::rng:
    return number_address(context_field::rng);
  case Region::learning_rate:
    return number_address(context_field::learning_rate);
  case Region::step:
    return number_address(context_field::step);
  case Region::parameter:
    return offset_pointer(parameters_, offset);
  case Region::arena_fixed:
    return offset_pointer(arena_, offset);
  case Region::arena_batch:
    return offset_pointer(batch_arena_, w_.ir().CreateMul(batch64_, offset));
  case Region::arena_micro_batch:
    return offset_pointer(micro_arena_, w_.ir().CreateMul(room64_, offset));
  case Region::none:
    break;
  }
  SINTER_UNREACHABLE("value %{} of the {} plan lies nowhere", root.index, function_name(phase_));
}

// A halide_dimension_t[] of an argument's buffer; Halide's dimension 0 is the innermost.
llvm::Value *StepWriter::dimensions(const KernelArgument &argument) {
  const Shape &extents = argument.extents;
  llvm::Value *&known = dimensions_[{extents, argument.pitch}];
  if (known != nullptr)
    return known;
  ModuleWriter &m = w_.module();
  const Abi &abi = w_.abi();
  const bool batched = !extents.empty() && extents.front() == kBatch;
  std::vector<llvm::Constant *> rows;
  const std::vector<int64_t> strides = argument.strides();
  for (size_t d = extents.size(); d-- > 0;)
    rows.push_back(llvm::ConstantStruct::get(
        abi.halide_dimension, {m.int32(0), m.int32(extents[d] == kBatch ? 0 : extents[d]),
                               m.int32(strides[d]), m.int32(0)}));
  llvm::Value *table = m.table("dimensions", abi.halide_dimension, rows);
  if (batched) {
    llvm::Type *type = llvm::ArrayType::get(abi.halide_dimension, rows.size());
    llvm::Value *copy = w_.stack(type, "dimensions");
    w_.ir().CreateMemCpy(copy, llvm::Align(4), table, llvm::Align(4),
                         m.module.getDataLayout().getTypeAllocSize(type));
    llvm::Value *outermost =
        w_.element(abi.halide_dimension, copy, w_.int32(static_cast<int64_t>(rows.size()) - 1));
    w_.ir().CreateStore(count(),
                        w_.field(abi.halide_dimension, outermost, halide_dimension_field::extent));
    table = copy;
  }
  return known = table;
}

// With the fields that are zero. Were those set by the memset of the frame, LLVM 14 would have it
// begin 8 bytes later, behind what is stored here, and take that address for buffer number 8's:
// it compares pointers' indices without the types that they count.
void StepWriter::fill_device_fields(llvm::Value *buffer, llvm::Value *place) {
  const auto store = [&](unsigned field, llvm::Value *content) {
    w_.ir().CreateStore(content, w_.field(w_.abi().halide_buffer, buffer, field));
  };
  store(halide_buffer_field::device, w_.ir().CreatePtrToInt(place, w_.abi().i64));
  store(halide_buffer_field::device_interface, w_.module().null());
  store(halide_buffer_field::flags, w_.module().int64(0));
  store(halide_buffer_field::padding, w_.module().null());
}

void StepWriter::fill_buffer(llvm::Value *buffer, NodeId value, const KernelArgument &argument) {
  const auto store = [&](unsigned field, llvm::Value *content) {
    w_.ir().CreateStore(content, w_.field(w_.abi().halide_buffer, buffer, field));
  };
  llvm::Value *place = address(value);
  store(halide_buffer_field::host, place);
  if (has_device())
    fill_device_fields(buffer, place);
  store(halide_buffer_field::type, w_.int32(halide_type_word(argument.element)));
  store(halide_buffer_field::dimensions, w_.int32(static_cast<int64_t>(argument.extents.size())));
  store(halide_buffer_field::dim, dimensions(argument));
}

void StepWriter::call_kernel(size_t index) {
  const Kernel &kernel = plan_.kernels[index];
  const KernelObject &object = code_.kernels.front()[index];
  std::vector<NodeId> values = kernel.inputs;
  values.insert(values.end(), kernel.outputs.begin(), kernel.outputs.end());
  SINTER_ASSERT(object.arguments.size() == values.size(), "kernel {} has {} values, its code {}",
                kernel.name, values.size(), object.arguments.size());

  std::vector<llvm::Value *> arguments = {pool_};
  for (size_t i = 0; i < values.size(); ++i) {
    llvm::Value *buffer =
        w_.element(w_.abi().halide_buffer, frame_, w_.int32(static_cast<int64_t>(i)));
    fill_buffer(buffer, values[i], object.arguments[i]);
    arguments.push_back(buffer);
  }
  const std::vector<llvm::Type *> types(arguments.size(), w_.abi().pointer);
  llvm::FunctionType *type = llvm::FunctionType::get(w_.abi().i32, types, false);
  llvm::Value *number = w_.int32(static_cast<int64_t>(index));

  const Variable begun = w_.variable(w_.abi().f64, w_.module().float64(0), "begun");
  w_.if_then(profiling_, [&] { w_.set(begun, w_.call("sinter_profile_begin", {})); });
  llvm::Value *code =
      w_.ir().CreateCall(type, w_.load_element(w_.abi().pointer, functions_, number), arguments);
  w_.if_then(w_.ir().CreateICmpNE(code, w_.int32(0)), [&] {
    w_.return_value(w_.call("sinter_kernel_failed", {code, w_.module().text(kernel.name)}));
  });
  w_.if_then(profiling_, [&] {
    w_.call("sinter_profile_end", {context(), number, w_.get(begun), is_last_});
  });
}

llvm::Value *StepWriter::metric_address(const std::string &metric) {
  const NodeId id = plan_.graph.find_output(metric);
  SINTER_ASSERT(id.valid(), "{} does not compute {}", function_name(phase_), metric);
  return address(id);
}

void StepWriter::copy_metrics() {
  w_.if_then(w_.ir().CreateIsNotNull(results()), [&] {
    for (size_t k = 0; k < compiled_.interface.metrics.size(); ++k) {
      llvm::Value *value =
          w_.ir().CreateLoad(w_.abi().f32, metric_address(compiled_.interface.metrics[k]));
      w_.ir().CreateStore(value,
                          w_.element(w_.abi().f32, results(), w_.int32(static_cast<int64_t>(k))));
    }
  });
}

llvm::Function *StepWriter::write_part(llvm::Constant *kernel_table, const KernelRange &range) {
  load_addresses();
  find_samples(range.samples);
  prepare_calls(kernel_table, range);
  for (size_t index = range.first; index < range.last; ++index)
    call_kernel(index);
  w_.return_value(w_.int32(SINTER_OK));
  return w_.function();
}

// for (i = 0; i <= (n - 1) / samples; ++i) each function(..., i * samples, min(samples, the rest))
void StepWriter::call_parts(const StepPart &part) {
  const auto call_all = [&](llvm::Value *begin, llvm::Value *count) {
    std::vector<llvm::Value *> arguments = part_arguments_;
    arguments.insert(arguments.end(), {begin, count});
    for (llvm::Function *function : part.functions)
      w_.return_if_failed(w_.ir().CreateCall(function, arguments));
  };
  if (part.range.samples == 0) {
    call_all(w_.int32(0), batch());
    return;
  }
  llvm::Value *samples = w_.int32(part.range.samples);
  llvm::Value *last = w_.ir().CreateSDiv(w_.ir().CreateNSWSub(batch(), w_.int32(1)), samples);
  w_.for_loop("micro_batch", w_.int32(0), w_.ir().CreateNSWAdd(last, w_.int32(1)),
              [&](llvm::Value *i) {
                llvm::Value *begin = w_.ir().CreateNSWMul(i, samples);
                llvm::Value *rest = w_.ir().CreateNSWSub(batch(), begin);
                llvm::Value *whole = w_.ir().CreateICmpSLT(samples, rest);
                call_all(begin, w_.ir().CreateSelect(whole, samples, rest));
              });
}

llvm::Function *StepWriter::write_step(const std::vector<StepPart> &parts,
                                       llvm::Function *prepare) {
  if (phase_ != SINTER_PREPARE)
    check_arguments();
  if (phase_ == SINTER_TRAIN)
    w_.call("sinter_begin_train_step", {context()});
  const bool may_leave = has_device() && phase_ != SINTER_PREPARE;
  if (may_leave)
    bring_to_device();
  if (prepare)
    prepare_parameters(prepare);
  for (const StepPart &part : parts)
    call_parts(part);
  if (has_metrics())
    load_addresses();
  if (may_leave)
    bring_from_device();
  if (has_metrics())
    copy_metrics();
  w_.return_value(w_.int32(SINTER_OK));
  return w_.function();
}

// The kernels of each micro-batch, and those between them.
std::vector<KernelRange> ranges(const Plan &plan) {
  std::vector<KernelRange> result;
  size_t done = 0;
  const auto append_whole = [&](size_t last) {
    if (done < last)
      result.push_back({done, last, 0});
    done = last;
  };
  for (const MicroBatch &part : plan.micro_batches) {
    append_whole(static_cast<size_t>(part.first));
    done = static_cast<size_t>(part.last);
    result.push_back({static_cast<size_t>(part.first), done, part.samples});
  }
  append_whole(plan.kernels.size());
  return result;
}

} // namespace

llvm::Function *emit_step_function(ModuleWriter &module, const CompiledProgram &compiled,
                                   sinter_phase phase, llvm::Function *prepare) {
  const std::string name = function_name(phase);
  const CompiledPhase &code = compiled.phases[phase];
  llvm::Constant *kernels = emit_kernel_table(module, code, name + "_kernels");
  std::vector<StepPart> parts;
  std::vector<llvm::Function *> functions;
  for (const KernelRange &whole : ranges(*code.plan)) {
    StepPart &part = parts.emplace_back(StepPart{whole, {}});
    for (size_t first = whole.first; first < whole.last; first += kKernelsPerFunction) {
      const KernelRange range{first, std::min(first + kKernelsPerFunction, whole.last),
                              whole.samples};
      StepWriter writer(module, compiled, phase, fmt::format("{}_{}", name, functions.size()),
                        StepWriter::Extent::part);
      functions.push_back(writer.write_part(kernels, range));
      part.functions.push_back(functions.back());
    }
  }
  if (functions.size() > 1) // a single one becomes part of the step again
    for (llvm::Function *function : functions)
      function->addFnAttr(llvm::Attribute::NoInline);
  return StepWriter(module, compiled, phase, name, StepWriter::Extent::step)
      .write_step(parts, prepare);
}

} // namespace sinter
