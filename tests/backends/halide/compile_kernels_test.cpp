// Deduplication, the disk cache, variants and the symbols of the objects.
#include "backends/halide/device.h"
#include "ir/diagnostics.h"
#include "ir/parse.h"
#include "tests/backends/halide/kernel_runner.h"
#include "tests/runtime/temporary_folder.h"

#include <cstdio>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <set>
#include <unistd.h>

using namespace sinter;

namespace fs = std::filesystem;

namespace {

/// A dense layer whose names and layer differ from plan to plan, not its computation.
Plan dense(const std::string &name, int64_t outputs) {
  return single_kernel_plan(
      parse_graph(fmt::format(R"(%0 = input {{name="{0}", type=f32[N,20]}} : f32[N,20]
%1 = parameter {{name="{0}/kernel", type=f32[20,{1}; block=16]}} : f32[20,{1}; block=16]
%2 = matmul %0, %1 : f32[N,{1}] @"{0}"
%3 = relu %2 : f32[N,{1}])",
                              name, outputs),
                  name));
}

KernelObject compile(const Plan &plan, const KernelOptions &options) {
  return compile_kernels({&plan}, variants_for_target("x86-64-linux-sse41"), options)[0][0][0];
}

std::vector<fs::path> entries(const fs::path &folder) {
  std::vector<fs::path> found;
  for (const fs::directory_entry &entry : fs::directory_iterator(folder))
    found.push_back(entry.path());
  return found;
}

/// What nm prints of an object, a set of "T name" and "U name".
std::set<std::string> symbols(const KernelObject &kernel) {
  const TemporaryFolder folder;
  const std::string path = folder.path / "kernel.o";
  write_bytes(path, *kernel.object);
  std::FILE *pipe = popen(("nm -g --format=posix " + path).c_str(), "r");
  REQUIRE(pipe);
  std::set<std::string> found;
  char name[256], kind[8], rest[256];
  char line[1024];
  while (std::fgets(line, sizeof line, pipe))
    if (std::sscanf(line, "%255s %7s %255[^\n]", name, kind, rest) >= 2)
      found.insert(std::string(kind) + " " + name);
  pclose(pipe);
  return found;
}

} // namespace

TEST_CASE("equal kernels of several plans share symbol and object") {
  const Plan a = dense("a", 10), b = dense("b", 10), c = dense("c", 11);
  const auto kernels = compile_kernels({&a, &b, &c}, variants_for_target("x86-64"), {});
  REQUIRE(kernels.size() == 3);
  REQUIRE(kernels[0].size() == 3);
  std::set<std::string> names;
  for (size_t variant = 0; variant < 3; ++variant) {
    CHECK(kernels[0][variant][0].symbol == kernels[1][variant][0].symbol);
    CHECK(kernels[0][variant][0].object == kernels[1][variant][0].object);
    CHECK(kernels[0][variant][0].symbol != kernels[2][variant][0].symbol);
    names.insert(kernels[0][variant][0].symbol);
  }
  CHECK(names.size() == 3);
}

TEST_CASE("an object's symbols begin with its kernel's, and it asks for nothing but the runtime "
          "and libm") {
  const Plan plan = single_kernel_plan(parse_graph(R"(graph {
%0 = input {name="x", type=f32[N,28,28,1]} : f32[N,28,28,1]
%1 = input {name="dy", type=f32[N,28,28,32]} : f32[N,28,28,32]
%2 = conv2d_filter_gradient %0, %1 {padding=[1,1,1,1], size=[3,3], block=32} : f32[3,3,1,32; block=32]
%3 = exp %2 : f32[3,3,1,32; block=32]
})",
                                                   "test"));
  const KernelObject kernel = compile(plan, {});
  const std::set<std::string> found = symbols(kernel);
  CHECK(found.count("T " + kernel.symbol) == 1);
  const std::set<std::string> known{"U halide_do_par_for",
                                    "U halide_malloc",
                                    "U halide_free",
                                    "U halide_error_out_of_memory",
                                    "U halide_error_buffer_allocation_too_large",
                                    "U memset"};
  for (const std::string &symbol : found) {
    CAPTURE(symbol);
    const bool own = symbol.compare(0, 2 + kernel.symbol.size(), "T " + kernel.symbol) == 0;
    CHECK((own || known.count(symbol) == 1));
  }
}

TEST_CASE("a kernel tells its largest buffer that grows with the batch, temporaries included") {
  const TemporaryFolder folder;
  KernelOptions options;
  options.cache_dir = folder.path;
  const Plan plan = single_kernel_plan(parse_graph(R"(graph {
%0 = input {name="x", type=f32[N,8,8,32]} : f32[N,8,8,32]
%1 = parameter {name="w", type=f32[3,3,32,8; block=8]} : f32[3,3,32,8; block=8]
%2 = conv2d %0, %1 {padding=[1,1,1,1]} : f32[N,8,8,8]
})",
                                                   "test"));
  const int64_t given = 8 * 8 * 32; // and padding around it
  CHECK(compile(plan, options).elements_per_sample > given);
  CHECK(compile(plan, options).elements_per_sample > given); // from the cache
}

TEST_CASE("a second compilation takes its kernels from the cache") {
  const TemporaryFolder folder;
  KernelOptions options;
  options.cache_dir = folder.path / "made" / "on demand";
  const Plan plan = dense("a", 10);
  const KernelObject first = compile(plan, options);
  const std::vector<fs::path> written = entries(options.cache_dir);
  REQUIRE(written.size() == 1);

  const auto time = fs::last_write_time(written[0]);
  const KernelObject second = compile(plan, options);
  CHECK(*second.object == *first.object);
  CHECK(second.algorithm == first.algorithm);
  CHECK(fs::last_write_time(written[0]) == time);
  compile(dense("renamed", 10), options);
  CHECK(entries(options.cache_dir).size() == 1);
  compile(dense("a", 12), options);
  CHECK(entries(options.cache_dir).size() == 2);
}

TEST_CASE("a damaged cache entry is compiled again and replaced") {
  const TemporaryFolder folder;
  KernelOptions options;
  options.cache_dir = folder.path;
  const Plan plan = dense("a", 10);
  const KernelObject good = compile(plan, options);
  const fs::path entry = entries(folder.path).at(0);
  const std::string sound = read_bytes(entry);
  std::string flipped = sound;
  flipped[sound.size() - 100] = static_cast<char>(flipped[sound.size() - 100] ^ 1);
  for (const std::string &damaged : {std::string(), std::string("sinter-kernel-2 5"),
                                     sound.substr(0, sound.size() / 2), flipped, sound + "x"}) {
    write_bytes(entry, damaged);
    const KernelObject again = compile(plan, options);
    CHECK(again.symbol == good.symbol);
    CHECK(again.object->compare(0, 4, "\177ELF") == 0);
    CHECK(read_bytes(entry) != damaged);
    CHECK(read_bytes(entry).compare(0, 15, sound, 0, 15) == 0);
  }
}

TEST_CASE("a cache folder that cannot be written to is no error") {
  const TemporaryFolder folder;
  write_bytes(folder.path / "file", "");
  KernelOptions options;
  options.cache_dir = folder.path / "file" / "below";
  CHECK(compile(dense("a", 10), options).object->size() > 0);
}

TEST_CASE("Halide says nothing on the terminal about a loop without a schedule") {
  const TemporaryFolder folder;
  const int terminal = dup(STDERR_FILENO);
  REQUIRE(std::freopen(folder.file("said").c_str(), "w", stderr));
  compile(single_kernel_plan(parse_graph(R"(%0 = parameter {name="w", type=f32[50]} : f32[50]
%1 = cumulative_sum %0 {axis=0} : f32[50])",
                                         "test")),
          {});
  std::fflush(stderr);
  dup2(terminal, STDERR_FILENO);
  close(terminal);
  CHECK(read_bytes(folder.file("said")) == "");
}

TEST_CASE("targets") {
  std::vector<std::string> names;
  for (const Variant &variant : variants_for_target("x86-64"))
    names.push_back(variant.name);
  CHECK(names == std::vector<std::string>{"x86-64", "avx2", "avx512"});
  CHECK(variants_for_target("host").size() == 1);
  CHECK(variants_for_target("x86-64-linux-sse41-avx-f16c-fma-avx2").at(0).vector_width == 8);
  CHECK_THROWS_WITH_AS(variants_for_target("cuda"),
                       doctest::Contains("target \"cuda\" is not supported yet"), CompileError);
  CHECK(variants_for_target("host,opencl").size() == 2);
  CHECK(targets_device("opencl"));
  CHECK(!targets_device("x86-64"));
  CHECK_THROWS_WITH_AS(variants_for_target("opencl,host"),
                       doctest::Contains("expects a device, opencl, last"), CompileError);
  CHECK_THROWS_WITH_AS(variants_for_target("x86-64-linux-cuda_capability_70"),
                       doctest::Contains("asks for a GPU"), CompileError);
  CHECK_THROWS_WITH_AS(variants_for_target("pentium"),
                       doctest::Contains("unknown target \"pentium\""), CompileError);
  CHECK_THROWS_WITH_AS(variants_for_target("arm-64-linux"),
                       doctest::Contains("this build makes x86-64 Linux code"), CompileError);
}

TEST_CASE("kernel text") {
  const Plan plan = dense("a", 10);
  const Variant variant = variants_for_target("x86-64-linux-sse41").at(0);
  CHECK(kernel_text(plan, 0, variant, KernelText::stmt).find("for (") != std::string::npos);
  CHECK(kernel_text(plan, 0, variant, KernelText::assembly).find("mulps") != std::string::npos);
}

TEST_CASE("a depthwise convolution reads its input where it is") {
  const auto loops_of = [](const char *attributes) {
    const Plan plan = single_kernel_plan(
        parse_graph(fmt::format(R"(%0 = input {{name="x", type=f32[N,12,12,32]}} : f32[N,12,12,32]
%1 = parameter {{name="kernel", type=f32[3,3,{0}]}} : f32[3,3,{0}]
%2 = conv2d %0, %1 {{padding=[1,1,1,1]{1}}} : f32[N,12,12,32])",
                                attributes[0] ? "1,32" : "32,32", attributes),
                    "conv"));
    return kernel_text(plan, 0, variants_for_target("host").at(0), KernelText::stmt);
  };
  CHECK(loops_of(", groups=32").find("produce conv2d_padded") == std::string::npos);
  CHECK(loops_of("").find("produce conv2d_padded") != std::string::npos);
}

TEST_CASE("a part of a large filter is asked for while the one before it is used") {
  const Plan plan =
      single_kernel_plan(parse_graph(R"(%0 = input {name="x", type=f32[N,7,7,256]} : f32[N,7,7,256]
%1 = parameter {name="kernel", type=f32[3,3,256,64; block=32]} : f32[3,3,256,64; block=32]
%2 = conv2d %0, %1 {padding=[1,1,1,1]} : f32[N,7,7,64])",
                                     "conv"));
  const Variant variant = variants_for_target("x86-64").back();
  const std::string code = kernel_text(plan, 0, variant, KernelText::assembly);
  CHECK(code.find("prefetcht1") != std::string::npos);
  CHECK(code.find("prefetchnta") == std::string::npos); // would not stay in the second cache
}

TEST_CASE("what a residual connection adds is asked for before a tile sums") {
  const auto code_of = [](const char *residual) {
    const Plan plan = single_kernel_plan(
        parse_graph(fmt::format(R"(%0 = input {{name="x", type=f32[N,14,14,64]}} : f32[N,14,14,64]
%1 = parameter {{name="kernel", type=f32[1,1,64,32; block=32]}} : f32[1,1,64,32; block=32]
%2 = conv2d %0, %1 : f32[N,14,14,32]
%3 = input {{name="r", type={0}}} : {0}
%4 = add %2, %3 : f32[N,14,14,32])",
                                residual),
                    "conv"));
    return kernel_text(plan, 0, variants_for_target("x86-64").back(), KernelText::assembly);
  };
  CHECK(code_of("f32[N,14,14,32]").find("prefetcht1") != std::string::npos);
  CHECK(code_of("f32[]").find("prefetch") == std::string::npos);
}
