#include "tests/backends/halide/kernel_runner.h"

#include "backends/reference/bf16.h"
#include "ir/op.h"
#include "ir/parse.h"
#include "tests/backends/halide/test_runtime.h"

#include <HalideRuntime.h>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <random>
#include <sys/mman.h>
#include <unistd.h>

namespace sinter {

namespace {

/// Memory that ends where a page that faults begins.
class GuardedMemory {
public:
  explicit GuardedMemory(size_t bytes) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    size_ = (bytes + page - 1) / page * page + page;
    void *memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    base_ = static_cast<unsigned char *>(memory);
    REQUIRE(mprotect(base_ + size_ - page, page, PROT_NONE) == 0);
    data_ = base_ + size_ - page - bytes;
    std::memset(base_, 0xFF, size_ - page); // NaN
  }
  ~GuardedMemory() { munmap(base_, size_); }
  GuardedMemory(const GuardedMemory &) = delete;
  GuardedMemory &operator=(const GuardedMemory &) = delete;
  unsigned char *data() const { return data_; }

private:
  unsigned char *base_ = nullptr;
  unsigned char *data_ = nullptr;
  size_t size_ = 0;
};

/// The storage position of logical element `index` (row-major) of a type.
size_t storage_position(const TensorType &type, int64_t index) {
  if (!type.blocked())
    return static_cast<size_t>(index);
  const int64_t last = type.shape.back();
  const int64_t rows = type.elements() / last;
  const int64_t column = index % last;
  return static_cast<size_t>(((column / type.block) * rows + index / last) * type.block +
                             column % type.block);
}

size_t storage_count(const TensorType &type, int64_t batch) {
  return static_cast<size_t>(type.storage_elements() * (type.batched() ? batch : 1));
}

void store(unsigned char *memory, ElementType element, size_t position, double value) {
  if (element == ElementType::f32)
    reinterpret_cast<float *>(memory)[position] = static_cast<float>(value);
  else if (element == ElementType::i32)
    reinterpret_cast<int32_t *>(memory)[position] = static_cast<int32_t>(value);
  else
    memory[position] = static_cast<unsigned char>(value);
}

double load(const unsigned char *memory, ElementType element, size_t position) {
  if (element == ElementType::f32)
    return reinterpret_cast<const float *>(memory)[position];
  if (element == ElementType::i32)
    return reinterpret_cast<const int32_t *>(memory)[position];
  return memory[position];
}

void write_array(const Array &array, unsigned char *memory) {
  const TensorType &type = array.type;
  std::memset(memory, 0, storage_count(type, array.batch) * byte_size(type.element));
  for (int64_t i = 0; i < array.size(); ++i)
    store(memory, type.element, storage_position(type, i), array[i]);
}

/// Reads the logical elements back; padding lanes must be zero.
Array read_array(const TensorType &type, int64_t batch, const unsigned char *memory) {
  Array array(type, batch);
  std::vector<bool> seen(storage_count(type, batch), false);
  for (int64_t i = 0; i < array.size(); ++i) {
    const size_t position = storage_position(type, i);
    seen[position] = true;
    array[i] = load(memory, type.element, position);
  }
  bool padding_is_zero = true;
  for (size_t i = 0; i < seen.size(); ++i)
    padding_is_zero = padding_is_zero && (seen[i] || load(memory, type.element, i) == 0);
  CHECK(padding_is_zero);
  return array;
}

/// A halide_buffer_t of the extents that the kernel declares.
struct Argument {
  halide_buffer_t buffer{};
  std::vector<halide_dimension_t> dimensions;

  Argument(const KernelArgument &declared, int64_t batch, unsigned char *memory) {
    int stride = 1;
    for (size_t i = declared.extents.size(); i-- > 0;) {
      const int64_t extent = declared.extents[i] == kBatch ? batch : declared.extents[i];
      dimensions.emplace_back(0, static_cast<int32_t>(extent), stride);
      stride *= static_cast<int>(extent);
    }
    const halide_type_code_t code = declared.element == ElementType::f32   ? halide_type_float
                                    : declared.element == ElementType::i32 ? halide_type_int
                                                                           : halide_type_uint;
    buffer.type = halide_type_t(code, static_cast<uint8_t>(8 * byte_size(declared.element)), 1);
    buffer.host = memory;
    buffer.dimensions = static_cast<int32_t>(dimensions.size());
  }
  halide_buffer_t *pointer() {
    buffer.dim = dimensions.data();
    return &buffer;
  }
};

/// Calls a C function of `arguments.size()` pointers.
int call(void *function, const std::vector<void *> &a) {
  switch (a.size()) {
#define P void *
  case 2:
    return reinterpret_cast<int (*)(P, P)>(function)(a[0], a[1]);
  case 3:
    return reinterpret_cast<int (*)(P, P, P)>(function)(a[0], a[1], a[2]);
  case 4:
    return reinterpret_cast<int (*)(P, P, P, P)>(function)(a[0], a[1], a[2], a[3]);
  case 5:
    return reinterpret_cast<int (*)(P, P, P, P, P)>(function)(a[0], a[1], a[2], a[3], a[4]);
  case 6:
    return reinterpret_cast<int (*)(P, P, P, P, P, P)>(function)(a[0], a[1], a[2], a[3], a[4],
                                                                 a[5]);
  case 7:
    return reinterpret_cast<int (*)(P, P, P, P, P, P, P)>(function)(a[0], a[1], a[2], a[3], a[4],
                                                                    a[5], a[6]);
  default:
    break;
#undef P
  }
  // Beyond that, pass more than any kernel takes: the System V convention ignores the rest.
  std::vector<void *> b = a;
  REQUIRE(b.size() <= 16);
  b.resize(16);
  using Many = int (*)(void *, void *, void *, void *, void *, void *, void *, void *, void *,
                       void *, void *, void *, void *, void *, void *, void *);
  return reinterpret_cast<Many>(function)(b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8],
                                          b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

/// Links one object into a shared library of a name never used before.
void *load_object(const KernelObject &kernel) {
  static std::atomic<int> count{0};
  const auto folder = std::filesystem::temp_directory_path() /
                      ("sinter-test-" + std::to_string(getpid()) + "-" + std::to_string(count++));
  std::filesystem::create_directories(folder);
  const std::string object = folder / "kernel.o", library = folder / "kernel.so";
  std::ofstream(object, std::ios::binary) << *kernel.object;
  REQUIRE(std::system(("cc -shared -o " + library + " " + object + " -lm").c_str()) == 0);
  void *handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    FAIL(std::string(dlerror()));
  std::filesystem::remove_all(folder);
  return handle;
}

std::string leaf_name(const Node &node) {
  return node.kind == OpKind::input ? attrs<InputAttrs>(node).name
                                    : attrs<ParameterAttrs>(node).name;
}

void compare(const Array &actual, const Array &expected, double tolerance) {
  REQUIRE(actual.size() == expected.size());
  double largest = 1e-30, difference = 0;
  for (int64_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    difference = std::max(difference, std::abs(actual[i] - expected[i]));
    if (std::isnan(actual[i]))
      difference = std::numeric_limits<double>::infinity(); // std::max drops a NaN
  }
  CHECK(difference / largest < tolerance);
}

} // namespace

Plan single_kernel_plan(const Graph &graph) {
  Plan plan;
  plan.graph = graph;
  Kernel kernel;
  kernel.name = "kernel";
  for (int i = 0; i < graph.size(); ++i) {
    const Node &node = graph[NodeId{i}];
    if (node.kind == OpKind::input || node.kind == OpKind::parameter)
      kernel.inputs.push_back(NodeId{i});
    else if (node.kind != OpKind::constant)
      kernel.nodes.push_back(NodeId{i});
  }
  for (const Output &output : graph.outputs)
    kernel.outputs.push_back(output.value);
  for (const Update &update : graph.updates)
    kernel.outputs.push_back(update.value);
  if (kernel.outputs.empty())
    kernel.outputs.push_back(NodeId{graph.size() - 1});
  plan.kernels.push_back(kernel);
  return plan;
}

KernelRunner::KernelRunner(const Plan &plan, const RunnerOptions &options) : plan_(plan) {
  KernelOptions kernel_options;
  kernel_options.checked = options.checked;
  object_ = compile_kernels({&plan_}, variants_for_target(options.target), kernel_options)[0][0][0];
  library_ = load_object(object_);
  function_ = dlsym(library_, object_.symbol.c_str());
  REQUIRE(function_);
}

KernelRunner::~KernelRunner() {
  if (library_)
    dlclose(library_);
}

std::vector<Array> KernelRunner::run(const NamedArrays &leaves, int64_t batch, int threads,
                                     const std::map<size_t, size_t> &in_place) const {
  const Kernel &kernel = plan_.kernels[0];
  std::vector<std::unique_ptr<GuardedMemory>> owned;
  std::vector<unsigned char *> memory;
  const auto allocate = [&](const TensorType &type) {
    owned.push_back(std::make_unique<GuardedMemory>(storage_count(type, batch) *
                                                    static_cast<size_t>(byte_size(type.element))));
    memory.push_back(owned.back()->data());
  };
  for (NodeId input : kernel.inputs) {
    allocate(plan_.graph.type(input));
    write_array(leaves.at(leaf_name(plan_.graph[input])), memory.back());
  }
  for (size_t i = 0; i < kernel.outputs.size(); ++i)
    if (in_place.count(i) > 0)
      memory.push_back(memory[in_place.at(i)]);
    else
      allocate(plan_.graph.type(kernel.outputs[i]));

  std::vector<std::unique_ptr<Argument>> arguments;
  std::vector<void *> pointers{nullptr};
  for (size_t i = 0; i < memory.size(); ++i) {
    arguments.push_back(std::make_unique<Argument>(object_.arguments[i], batch, memory[i]));
    pointers.push_back(arguments.back()->pointer());
  }
  test_threads = threads;
  test_failure.clear();
  const int status = call(function_, pointers);
  CHECK(test_failure == "");
  CHECK(status == 0);
  std::vector<Array> results;
  for (size_t i = 0; i < kernel.outputs.size(); ++i)
    results.push_back(
        read_array(plan_.graph.type(kernel.outputs[i]), batch, memory[kernel.inputs.size() + i]));
  return results;
}

NamedArrays random_leaves(const Graph &graph, int64_t batch, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  NamedArrays leaves;
  for (const Node &node : graph.nodes()) {
    if (node.kind != OpKind::input && node.kind != OpKind::parameter)
      continue;
    Array array(node.type, batch);
    for (double &value : array.values)
      if (node.type.element == ElementType::f32)
        value = static_cast<double>(uniform(generator));
      else if (node.kind == OpKind::parameter) // pairs of bf16
        value = bf16_pair(round_to_bf16(static_cast<double>(uniform(generator))),
                          round_to_bf16(static_cast<double>(uniform(generator))));
      else
        value = static_cast<double>(generator() % 4);
    leaves[leaf_name(node)] = array;
  }
  return leaves;
}

void check_kernel(const std::string &graph_text, const std::vector<int64_t> &batches,
                  const std::string &target, double tolerance) {
  CAPTURE(graph_text);
  CAPTURE(target);
  const Plan plan = single_kernel_plan(parse_graph(graph_text, "test"));
  for (const bool checked : {true, false}) {
    CAPTURE(checked);
    const KernelRunner runner(plan, {target, checked});
    for (int64_t batch : batches) {
      CAPTURE(batch);
      const NamedArrays leaves = random_leaves(plan.graph, batch, static_cast<unsigned>(batch));
      const std::vector<Array> expected = evaluate(plan.graph, batch, leaves);
      const std::vector<Array> actual = runner.run(leaves, batch);
      const std::vector<NodeId> &outputs = plan.kernels[0].outputs;
      for (size_t i = 0; i < outputs.size(); ++i)
        compare(actual[i], expected[static_cast<size_t>(outputs[i].index)], tolerance);
      // The same bits on any number of threads.
      const std::vector<Array> threaded = runner.run(leaves, batch, 3);
      for (size_t i = 0; i < outputs.size(); ++i)
        CHECK(actual[i].values == threaded[i].values);
    }
  }
}

} // namespace sinter
