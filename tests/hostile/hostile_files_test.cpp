// Files made to break their reader: bombs, cycles, absurd sizes, calls, links to elsewhere. Each is
// refused with an error that says why, within 10 s and 2 GB.
#include "frontend/weight_file.h"
#include "tests/fuzz/seeds.h"
#include "tests/hostile/bombs.h"
#include "tests/hostile/limited_run.h"
#include "tests/runtime/data_files.h"

#include <doctest/doctest.h>
#include <map>
#include <sys/stat.h>
#include <vector>

using namespace sinter;

namespace {

struct Case {
  SeedFile file;
  std::string reason; // part of the error
};

void check(const std::vector<Case> &cases) {
  const TemporaryFolder folder;
  for (const auto &[file, reason] : cases) {
    const std::string path = folder.file(file.name);
    write_bytes(path, file.bytes);
    const Outcome outcome = run_limited([path = path] { return read_any(path); });
    INFO(file.name << ", " << outcome.seconds << " s, " << (outcome.bytes >> 20)
                   << " MB: " << outcome.error);
    CHECK(outcome.ended);
    CHECK(outcome.error.find(path) != std::string::npos);
    CHECK(outcome.error.find(reason) != std::string::npos);
  }
}

std::string repeated(const std::string &piece, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += piece;
  return text;
}

std::string u64(uint64_t value) { return {reinterpret_cast<const char *>(&value), sizeof value}; }

} // namespace

TEST_CASE("scripts that would never end, or take all memory") {
  const std::string net = "from keras import layers, Sequential\nimport numpy as np\n"
                          "m = Sequential([layers.Input((4,))])\n";
  const std::string steps = "more than 5000000 steps";
  check({
      {{"while.py", "while True: pass\n"}, steps},
      {{"range.py", "x = range(10 ** 9)\n"}, steps},
      {{"nested.py", "x = [[0 for i in range(10 ** 5)] for j in range(10 ** 5)]\n"}, steps},
      {{"list.py", "x = [0] * 10 ** 9\n"}, ""},
      {{"text.py", "x = 'a' * 10 ** 12\n"}, ""},
      {{"doubling.py", "x = 'a'\nwhile True: x = x + x\n"}, steps},
      {{"lists.py", "x = [1]\nwhile True: x += x\n"}, steps},
      {{"format.py", "x = f'{1:1000000000}'\n"}, ""},
      {{"power.py", "x = 10 ** 10 ** 10\n"}, ""},
      {{"recursion.py", "def f(n): return f(n + 1)\nf(0)\n"}, "nest more than"},
      {{"layers.py", net + "while True: m.add(layers.Dense(4))\n"}, steps},
      {{"calls.py", net + "x = layers.Input((4,))\nwhile True: x = layers.ReLU()(x)\n"}, steps},
      {{"wide.py", net + "m.add(layers.Dense(2 ** 31 - 1))\nm.add(layers.Dense(2 ** 31 - 1))\n"},
       ""},
      {{"array.py", net + "x = np.zeros((2 ** 31 - 1, 2 ** 31 - 1))\nm.fit(x, x)\n"}, ""},
      {{"brackets.py", "x = " + repeated("(", 100000)}, ""},
      {{"minus.py", "x = " + repeated("-", 1000000) + "1\n"}, ""},
      {{"binary.py", std::string(1000, '\0')}, "NUL"},
      {{"large.py", std::string(size_t{5} << 20U, '#')}, "more than the"},
  });
}

TEST_CASE("ONNX files with cycles, absurd lengths and absurd shapes") {
  const std::string huge = "beyond what a tensor may have";
  check({
      {{"cycle.onnx", onnx_bytes("node { op_type: 'Relu' input: 'a' output: 'y' } "
                                 "node { op_type: 'Relu' input: 'y' output: 'a' } ")},
       "the graph has a cycle through"},
      {{"itself.onnx", onnx_bytes("node { op_type: 'Relu' input: 'y' output: 'y' } ")}, "cycle"},
      {{"extent31.onnx", onnx_weight("dims: 2147483648")}, huge},
      {{"extent62.onnx", onnx_weight("dims: 4611686018427387904 dims: 4")}, huge},
      {{"negative.onnx", onnx_weight("dims: -1")}, huge},
      {{"rank.onnx", onnx_weight(repeated("dims: 1 ", 100))}, huge},
      {{"short.onnx", onnx_weight("dims: 2147483647")}, "0 elements of data"},
      {{"input.onnx",
        onnx_bytes("input { name: 'x' type { tensor_type { elem_type: 1 shape { "
                   "dim { dim_value: 4611686018427387904 } dim { dim_value: 2 } } } } "
                   "} node { op_type: 'Relu' input: 'x' output: 'y' } ")},
       "error"},
      {{"fill.onnx",
        onnx_bytes("initializer { name: 's' data_type: 7 dims: 3 int64_data: 100000 int64_data: "
                   "100000 int64_data: 100000 } node { op_type: 'ConstantOfShape' input: 's' "
                   "output: 'y' } ")},
       "asks for shape"},
      {{"length31.onnx", "\x3a\xff\xff\xff\xff\x07"}, "truncated"},
      {{"length32.onnx", "\x3a\xff\xff\xff\xff\x0f" + std::string(100, '\1')}, "truncated"},
      {{"length64.onnx", "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}, "truncated"},
      {{"tags.onnx", onnx_of_empty_nodes(30 << 20)}, "the file's graph takes"},
      {{"deep.onnx", onnx_of_subgraphs(2000)}, "error"},
      {{"elsewhere.onnx", onnx_weight("dims: 1 data_location: EXTERNAL external_data { key: "
                                      "'location' value: '../../../../../../etc/passwd' }")},
       "error"},
  });
}

TEST_CASE("ONNX operators whose operands no exporter writes") {
  const auto input = [](const std::string &extents) {
    return "input { name: 'x' type { tensor_type { elem_type: 1 shape { " + extents + " } } } } ";
  };
  const auto extent = [](int64_t value) {
    return "dim { dim_value: " + std::to_string(value) + " } ";
  };
  const std::string row = input(extent(2) + extent(3));
  const std::string scalar = "initializer { name: 's' data_type: 1 float_data: 1 } "
                             "initializer { name: 'i' data_type: 7 int64_data: 1 } ";
  const std::string positions = "node { op_type: 'MaxPool' input: 'x' output: 'm' output: 'y' "
                                "attribute { name: 'kernel_shape' type: INTS ints: 1 ints: 1 } } ";
  check({
      {{"loss.onnx", onnx_bytes(scalar + "node { op_type: 'NegativeLogLikelihoodLoss' input: 's' "
                                         "input: 'i' output: 'y' } ")},
       "expects [n, classes, ...], got []"},
      {{"norm.onnx",
        onnx_bytes(row + scalar +
                   "node { op_type: 'BatchNormalization' input: 'x' input: 's' input: 's' input: "
                   "'s' input: 's' output: 'y' attribute { name: 'training_mode' type: INT i: 1 } "
                   "} ")},
       "expects one number a channel, got []"},
      {{"where.onnx", onnx_bytes(scalar + "node { op_type: 'Where' input: 'i' input: 'i' input: "
                                          "'s' output: 'y' } ")},
       "chooses between int64 and float"},
      {{"pad.onnx", onnx_bytes(row + "node { op_type: 'Pad' input: 'x' input: 'p' output: 'y' } "
                                     "initializer { name: 'p' data_type: 7 dims: 4 int64_data: 0 "
                                     "int64_data: -9223372036854775808 int64_data: 0 "
                                     "int64_data: 0 } ")},
       "pads by -9223372036854775807"},
      {{"einsum.onnx", onnx_bytes(row + "node { op_type: 'Einsum' input: 'x' input: 'x' input: 'x' "
                                        "output: 'y' } ")},
       "has 3 operands"},
      {{"range.onnx",
        onnx_bytes("node { op_type: 'Range' input: 'a' input: 'b' input: 'c' output: 'y' } "
                   "initializer { name: 'a' data_type: 1 float_data: 0 } initializer { name: 'b' "
                   "data_type: 1 float_data: inf } initializer { name: 'c' data_type: 1 "
                   "float_data: 1e-30 } ")},
       "goes from 0 to inf"},
      {{"positions.onnx",
        onnx_bytes(input(extent(2) + extent(1) + extent(30000) + extent(30000)) + positions)},
       "the positions of 1800000000 maxima"},
      {{"name.onnx", onnx_bytes(row + "node { op_type: 'Relu' input: 'x' output: 'y' name: '" +
                                std::string(2000, 'n') + "' } ")},
       "the name of a node has 2000 letters"},
      {{"escape.onnx", onnx_bytes("node { op_type: '\\033[2J' output: 'y' } ")},
       "operators that are not supported: \\x1b[2J (y)"},
      {{"long.onnx",
        onnx_bytes("node { op_type: '" + std::string(1'000'000, 'n') + "' output: 'y' } ")},
       "operators that are not supported: nnn"},
      {{"nodes.onnx", onnx_of_chain(250'000)}, "more than 200000 operations"},
  });
}

TEST_CASE("archives that inflate without end or lie about it") {
  const std::string bomb = zip_of({{"config.json", std::string(size_t{300} << 20U, '\0')}}, true);
  REQUIRE(bomb.size() < size_t{2} << 20U);
  const std::string small = zip_of({{"config.json", "{}"}}, true);
  const std::string too_many = "too many for an archive of this size";
  check({
      {{"bomb.keras", bomb}, too_many},
      {{"bomb.npz", renamed(bomb, "config.json", "weights.npy")}, too_many},
      {{"bomb.pt", renamed(bomb, "config.json", "ab/data.pkl")}, too_many},
      {{"liar.keras", with_claimed_size(small, 0xfffffff0)}, too_many},
      {{"liar.npz", with_claimed_size(renamed(small, "config.json", "weights.npy"), 1 << 20)},
       "truncated or damaged"},
      {{"empty.keras", zip_of({{"other", ""}}, false)}, "no config.json"},
      {{"deep.json", repeated("[", 1000000)}, "nested deeper than"},
      {{"large.json", "[" + std::string(size_t{33} << 20U, ' ') + "]"}, "more than"},
      {{"commas.json", "[" + repeated("0,", 10'000'000) + "0]"}, "error"},
      {{"objects.json", "[" + repeated("{},", 1'000'000) + "0]"}, "error"},
  });
}

TEST_CASE("pickles that call, that never end, that claim too much") {
  const std::string protocol = "\x80\x02";
  const std::string refused = "nothing is called";
  check({
      {{"system.pkl", protocol + "cposix\nsystem\n(X\x04" + std::string(3, '\0') + "truetR."},
       refused},
      {{"eval.pt", protocol + "cbuiltins\neval\n(X\x01" + std::string(3, '\0') + "1tR."}, refused},
      {{"stack.pkl", protocol + std::string("\x8c\x02os\x8c\x06system\x93.", 13)}, refused},
      {{"build.pkl", protocol + "c__main__\nX\n)\x81}b."}, refused},
      {{"length31.pkl", protocol + "X\xff\xff\xff\x7f."}, "ends too early"},
      {{"length63.pkl", protocol + "\x8e" + u64(uint64_t{1} << 63U) + "."}, "ends too early"},
      {{"values.pkl", protocol + std::string(5'000'000, 'N') + "."}, "too many values"},
      {{"memos.pkl", protocol +
                         repeated("N\x94"
                                  "0",
                                  100'000) +
                         "."},
       "an empty stack"},
      {{"marks.pkl", protocol + std::string(5'000'000, '(') + "."}, "too many values"},
      {{"itself.pkl",
        protocol + "}q\1(X\1" + std::string(3, '\0') + "ah\1X\1" + std::string(3, '\0') + "bh\1u."},
       "more entries than a file of this size can hold"},
  });
}

TEST_CASE("arrays whose headers claim what is not there") {
  const std::string claim = R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],)"
                            R"("data_offsets":[0,8]}})";
  const auto npy = [](const std::string &shape) {
    return npy_of("{'descr': '<f4', 'fortran_order': True, 'shape': " + shape + ", }", "12345678");
  };
  check({
      {{"header63.safetensors", u64(uint64_t{1} << 63U) + claim}, "truncated"},
      {{"header31.safetensors", u64(uint64_t{1} << 31U) + claim}, "truncated"},
      {{"many.npy", npy("(2147483647, 2147483647, 2147483647)")}, "does not fit the file"},
      {{"zero.npy", npy("(0, 4611686018427387904, 4611686018427387904)")}, "does not fit"},
      {{"huge.npy", npy("(99999999999999999999999,)")}, "sound descr, order and shape"},
      {{"rank.npy", npy("(" + repeated("1,", 1000) + ")")}, "sound descr, order and shape"},
      {{"long.npy", std::string("\x93NUMPY\x02\0\xff\xff\xff\x7f", 12)}, "too long"},
      {{"extents.idx",
        std::string("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16)},
       "does not fit the file"},
      {{"doubles.idx", std::string("\0\0\x0e\x02\x80\0\0\0\x80\0\0\0", 12)}, "does not fit"},
      {{"bomb.gz",
        gzip(std::string("\0\0\x08\x01\x3f\0\0\0", 8) + std::string(size_t{1} << 20U, '\0'))},
       "does not fit the file"},
      {{"more.gz",
        gzip(std::string("\0\0\x08\x01\0\0\0\x01", 8) + std::string(size_t{1} << 20U, '\0'))},
       "longer than the 1 elements"},
  });
}

TEST_CASE("pictures of absurd sizes, or of a thousand passes") {
  check({
      {{"wide.png", png_of_size(65536, 1)}, "65536x1 pixels"},
      {{"area.png", png_of_size(60000, 60000)}, "60000x60000 pixels"},
      {{"huge.png", png_of_size(0x7fffffff, 0x7fffffff)}, "Invalid IHDR"},
      {{"passes.jpg", jpeg_of_scans(1000)}, "more than 100 scans"},
  });
}

TEST_CASE("HDF5 files that point elsewhere, nowhere, or at themselves") {
  const TemporaryFolder folder;
  const std::map<std::string, std::string> reasons = {
      {"absurd", "elements are too many"}, {"bomb", "more than a file of this size can hold"},
      {"external", "kept in other files"}, {"links", "not numbers"},
      {"references", "not numbers"},       {"virtual", "kept in other files"}};
  for (const std::string &kind : hdf5_tricks()) {
    const std::string path = folder.file(kind + ".h5");
    write_hdf5_trick(kind, path);
    const Outcome model = run_limited([&] { return read_any(path); });
    INFO(kind << ": " << model.error);
    CHECK(model.ended);
    CHECK(model.error.find(path + ": error: the file holds no model") == 0);
    const Outcome weights = run_limited([&] { return read_weight_arrays(path).at(0).problem; });
    INFO(weights.error);
    CHECK(weights.ended);
    CHECK(weights.error.find(reasons.at(kind)) != std::string::npos);
  }
}

TEST_CASE("folders, and pipes that nobody writes to, are no files") {
  const TemporaryFolder folder;
  for (const std::string extension :
       {".onnx", ".keras", ".h5", ".json", ".pt", ".npz", ".safetensors"}) {
    const std::string inner = folder.file("folder" + extension);
    const std::string pipe = folder.file("pipe" + extension);
    std::filesystem::create_directory(inner);
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    for (const std::string &path : {inner, pipe}) {
      const Outcome outcome = run_limited([&] { return read_any(path); });
      INFO(path << ": " << outcome.error);
      CHECK(outcome.ended);
      CHECK(outcome.error == path + ": error: this is no regular file");
    }
  }
}
