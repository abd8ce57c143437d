#include "frontend/weight_file.h"
#include "frontend/weights.h"
#include "tests/frontend/support.h"
#include "tests/paths.h"

#include <cmath>
#include <cstring>
#include <doctest/doctest.h>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <zip.h>

using namespace sinter;

namespace {

const char *const kScript = R"(from keras import Sequential, layers
model = Sequential([layers.Input(shape=(2,)), layers.Dense(3), layers.BatchNormalization()])
)";

template <typename T> std::string bytes_of(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
}

std::string npy(const std::string &descr, const std::string &shape, const std::string &values,
                bool fortran = false) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}\n", descr,
                                   fortran ? "True" : "False", shape);
  std::string text = "\x93NUMPY";
  text += '\x01';
  text += '\x00';
  text += static_cast<char>(header.size() & 0xFFU);
  text += static_cast<char>(header.size() >> 8U);
  return text + header + values;
}

using Members = std::vector<std::pair<std::string, std::string>>;

std::string write_npz(const std::string &name, const Members &members, bool compress = false) {
  const std::string path = build_path(name);
  std::filesystem::remove(path);
  int code = 0;
  zip_t *archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  REQUIRE(archive);
  for (const auto &[member, bytes] : members) {
    zip_source_t *source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
    const zip_int64_t index = zip_file_add(archive, (member + ".npy").c_str(), source, 0);
    REQUIRE(index >= 0);
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(index),
                             compress ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
  }
  REQUIRE(zip_close(archive) == 0);
  return path;
}

/// A safetensors file from (name, dtype, shape, values).
struct Tensor {
  std::string name, dtype;
  Shape shape;
  std::string values;
};
std::string safetensors(const std::vector<Tensor> &tensors) {
  nlohmann::json header;
  header["__metadata__"] = {{"format", "pt"}};
  std::string values;
  for (const Tensor &tensor : tensors) {
    header[tensor.name] = {{"dtype", tensor.dtype},
                           {"shape", tensor.shape},
                           {"data_offsets", {values.size(), values.size() + tensor.values.size()}}};
    values += tensor.values;
  }
  const std::string text = header.dump();
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char *>(&length), 8) + text + values;
}

const std::vector<float> kKernel = {1, 2, 3, 4, 5, 6};
const std::string kVector = npy("<f4", "(3,)", bytes_of<float>({7, 8, 9}));

Members complete_members() {
  return {{"dense/kernel", npy("<f4", "(2, 3)", bytes_of(kKernel))},
          {"dense.bias", kVector},
          {"batch_normalization/gamma:0", npy("<f8", "(3,)", bytes_of<double>({1.5, 2.5, 3.5}))},
          {"batch_normalization/beta", npy("<f2", "(3,)", bytes_of<uint16_t>({0x3C00, 0xC000, 1}))},
          {"batch_normalization/moving_mean", kVector},
          {"batch_normalization/moving_variance", npy("<i4", "(3,)", bytes_of<int32_t>({1, 2, 3}))},
          {"labels", npy("<U4", "(1,)", "abcd")}};
}

std::string error_of_weights(const std::string &path) {
  try {
    load_weights(path, load(kScript));
    return "";
  } catch (const CompileError &error) {
    return error.text();
  }
}

} // namespace

TEST_CASE("an .npz gives every parameter, in any spelling and number format") {
  for (const bool compress : {false, true}) {
    const auto weights =
        load_weights(write_npz("complete.npz", complete_members(), compress), load(kScript));
    CHECK(weights.size() == 6);
    CHECK(weights.at("dense/kernel").values == kKernel);
    CHECK(weights.at("dense/kernel").shape == Shape{2, 3});
    CHECK(weights.at("dense/bias").values == std::vector<float>{7, 8, 9});
    CHECK(weights.at("batch_normalization/gamma").values == std::vector<float>{1.5F, 2.5F, 3.5F});
    CHECK(weights.at("batch_normalization/beta").values ==
          std::vector<float>{1, -2, std::ldexp(1.0F, -24)});
    CHECK(weights.at("batch_normalization/moving_variance").values == std::vector<float>{1, 2, 3});
  }
}

TEST_CASE("column-major arrays are turned") {
  Members members = complete_members();
  members[0].second = npy("<f4", "(2, 3)", bytes_of<float>({1, 4, 2, 5, 3, 6}), /*fortran=*/true);
  CHECK(load_weights(write_npz("fortran.npz", members), load(kScript)).at("dense/kernel").values ==
        kKernel);
}

TEST_CASE("unnamed arrays come in the order of the layers") {
  Members members;
  for (size_t i = 0; i < 6; ++i)
    members.emplace_back(fmt::format("arr_{}", i), complete_members()[i].second);
  CHECK(load_weights(write_npz("unnamed.npz", members), load(kScript))
            .at("batch_normalization/gamma")
            .values[2] == 3.5F);
  members.pop_back();
  CHECK(error_of_weights(write_npz("few.npz", members)) ==
        "5 arrays without names, but the model has 6 parameters; --map=FILE tells which is which");
}

TEST_CASE("everything wrong with an .npz is told at once") {
  Members members = complete_members();
  members.erase(members.begin() + 1);
  members[0].second = npy("<f4", "(3, 2)", bytes_of(kKernel));
  members[1].second = npy("<c8", "(3,)", std::string(24, 'x'));
  members[2].second = npy("<f4", "(3,)", "short");
  CHECK(error_of_weights(write_npz("wrong.npz", members)) ==
        "dense/kernel has shape [3,2], the model needs [2,3]; no array for dense/bias [3]; "
        "batch_normalization/gamma:0: numbers of type '<c8' are not supported; "
        "batch_normalization/beta: 3 values of 4 bytes are stored in 5 bytes");
}

TEST_CASE("safetensors give every parameter") {
  const std::vector<Tensor> tensors = {
      {"dense.kernel", "F32", {2, 3}, bytes_of(kKernel)},
      {"dense.bias", "F64", {3}, bytes_of<double>({1, 2, 3})},
      {"batch_normalization/gamma", "F16", {3}, bytes_of<uint16_t>({0x3C00, 0x4000, 0x7C00})},
      {"batch_normalization/beta", "BF16", {3}, bytes_of<uint16_t>({0x3F80, 0xC000, 0})},
      {"batch_normalization/moving_mean", "F32", {3}, bytes_of<float>({1, 2, 3})},
      {"batch_normalization/moving_variance", "F32", {3}, bytes_of<float>({1, 2, 3})}};
  const std::string bytes = safetensors(tensors);
  const auto weights = load_weights(write_file("ok.safetensors", bytes), load(kScript));
  CHECK(weights.at("dense/kernel").values == kKernel);
  CHECK(weights.at("dense/bias").values == std::vector<float>{1, 2, 3});
  CHECK(weights.at("batch_normalization/gamma").values[1] == 2);
  CHECK(std::isinf(weights.at("batch_normalization/gamma").values[2]));
  CHECK(weights.at("batch_normalization/beta").values == std::vector<float>{1, -2, 0});

  std::vector<Tensor> wrong = tensors;
  wrong[0].shape = {2, 4};
  wrong[1].dtype = "C64";
  CHECK(error_of_weights(write_file("wrong.safetensors", safetensors(wrong))) ==
        "dense.kernel: 8 values of 4 bytes are stored in 24 bytes; dense.bias: numbers of type "
        "'C64' are not supported");
}

TEST_CASE("PyTorch's names and layouts become Keras's") {
  const Model model = load(R"(from keras import Sequential, layers
model = Sequential([layers.Input(shape=(2, 2, 2)), layers.Conv2D(3, (1, 2), name='a'),
                    layers.BatchNormalization(name='n'), layers.Flatten(),
                    layers.Dense(2, name='b')])
)");
  // a: out 3, in 2, 1 x 2; b: 2 outputs of 3 channels x 2 rows x 1 column.
  const std::vector<float> a{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const std::vector<float> b{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const std::vector<float> three{1, 2, 3};
  std::vector<Tensor> tensors = {{"a.weight", "F32", {3, 2, 1, 2}, bytes_of(a)},
                                 {"a.bias", "F32", {3}, bytes_of(three)},
                                 {"n.weight", "F32", {3}, bytes_of(three)},
                                 {"n.bias", "F32", {3}, bytes_of(three)},
                                 {"n.running_mean", "F32", {3}, bytes_of(three)},
                                 {"n.running_var", "F32", {3}, bytes_of(three)},
                                 {"n.num_batches_tracked", "I64", {}, bytes_of<int64_t>({9})},
                                 {"b.weight", "F32", {2, 6}, bytes_of(b)},
                                 {"b.bias", "F32", {2}, bytes_of<float>({1, 2})}};
  const auto check = [](const std::map<std::string, WeightArray> &weights) {
    // [0][x][in][out] is out x in x 0 x x.
    CHECK(weights.at("a/kernel").shape == Shape{1, 2, 2, 3});
    CHECK(weights.at("a/kernel").values ==
          std::vector<float>{0, 4, 8, 2, 6, 10, 1, 5, 9, 3, 7, 11});
    CHECK(weights.at("n/moving_variance").values == std::vector<float>{1, 2, 3});
    // Row (y, c) is column c * 2 + y of each output.
    CHECK(weights.at("b/kernel").values ==
          std::vector<float>{0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11});
  };
  check(load_weights(write_file("torch.safetensors", safetensors(tensors)), model));
  for (Tensor &tensor : tensors) // other names, in the same order
    tensor.name = "z" + tensor.name;
  check(load_weights(write_file("order.safetensors", safetensors(tensors)), model,
                     {{"a/kernel", "za.weight"},
                      {"a/bias", "za.bias"},
                      {"n/gamma", "zn.weight"},
                      {"n/beta", "zn.bias"},
                      {"n/moving_mean", "zn.running_mean"},
                      {"n/moving_variance", "zn.running_var"},
                      {"b/kernel", "zb.weight"},
                      {"b/bias", "zb.bias"}}));
}

TEST_CASE("a file of names is read line by line") {
  CHECK(read_weight_names(
            write_file("names.txt", "# ours = theirs\n\na/kernel = a.w  # filters\n")) ==
        WeightNames{{"a/kernel", "a.w"}});
  CHECK_THROWS_WITH_AS(
      read_weight_names(write_file("names.txt", "x = y\nnonsense\n")),
      (build_path("names.txt") + ":2:1: error: expected model_name = file_name, got 'nonsense'")
          .c_str(),
      CompileError);
  CHECK_THROWS_AS(read_weight_names(write_file("names.txt", "x = y\nx = z\n")), CompileError);
}

TEST_CASE("damaged files of weights are errors") {
  CHECK(error_of_weights(build_path("none.npz")) == "no such file");
  CHECK(error_of_weights(build_path("")) == "this is no regular file");
  CHECK(
      error_of_weights(write_file("weights.tflite", "x")) ==
      "unknown kind of weights '.tflite': .safetensors, .npz, .h5, .keras, .pt, .pth and .pkl are "
      "supported");
  CHECK(error_of_weights(write_file("text.npz", "hello")).rfind("this is no .npz archive", 0) == 0);
  CHECK(error_of_weights(write_file("short.safetensors", "abc"))
            .rfind("this is no safetensors file", 0) == 0);
  CHECK(error_of_weights(write_file("json.safetensors", std::string("\x02\0\0\0\0\0\0\0[]", 10))) ==
        "the header of this safetensors file is not a JSON object");
}

TEST_CASE("no truncated or damaged archive is read, at any length") {
  const std::string whole = read_file(write_npz("whole.npz", complete_members()));
  for (size_t length = 0; length < whole.size(); length += 7)
    CHECK(error_of_weights(write_file("part.npz", whole.substr(0, length))) != "");
  std::string damaged = whole;
  damaged[whole.find("\x93NUMPY") + 80] ^= 1; // in the stored kernel: its checksum tells
  CHECK(error_of_weights(write_file("damaged.npz", damaged)) ==
        "dense/kernel.npy is truncated or damaged");
}

TEST_CASE(
    "tensors of a safetensors file that share their values, or nest without end, are refused") {
  const std::string two = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                          R"("b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const uint64_t length = two.size();
  const std::string bytes =
      std::string(reinterpret_cast<const char *>(&length), 8) + two + std::string(8, 'x');
  const auto arrays = read_weight_arrays(write_file("overlap.safetensors", bytes));
  REQUIRE(arrays.size() == 2);
  CHECK(arrays[0].problem.empty());
  CHECK(arrays[1].problem == "its values overlap with another tensor's");
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const uint64_t deep_length = deep.size();
  CHECK(error_of_weights(write_file("deep.safetensors",
                                    std::string(reinterpret_cast<const char *>(&deep_length), 8) +
                                        deep)) == "the header is nested deeper than 200 levels");
}

TEST_CASE("a safetensors header that lies about the data is refused") {
  for (const char *entry :
       {R"({"dense.kernel":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]}})",
        R"({"dense.kernel":{"dtype":"F32","shape":[2,3],"data_offsets":[24,0]}})",
        R"({"dense.kernel":{"dtype":"F32","shape":[-2,-3],"data_offsets":[0,24]}})",
        R"({"dense.kernel":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,24]}})",
        R"({"dense.kernel":{}})", R"({"dense.kernel":3})"}) {
    CAPTURE(entry);
    const uint64_t length = std::strlen(entry);
    const std::string bytes =
        std::string(reinterpret_cast<const char *>(&length), 8) + entry + bytes_of(kKernel);
    CHECK(error_of_weights(write_file("lies.safetensors", bytes)).rfind("dense.kernel: ", 0) == 0);
  }
}

TEST_CASE("random damage never gets further than an error") {
  std::mt19937 random(3);
  const std::string npz = read_file(write_npz("fuzz.npz", complete_members()));
  const std::string tensors = safetensors({{"dense.kernel", "F32", {2, 3}, bytes_of(kKernel)}});
  for (int round = 0; round < 400; ++round)
    for (const auto &[name, bytes] : {std::pair(std::string("fuzz2.npz"), npz),
                                      std::pair(std::string("fuzz2.safetensors"), tensors)}) {
      std::string damaged =
          bytes.substr(0, round % 3 == 0 ? random() % bytes.size() : bytes.size());
      for (int i = 0; i < 3 && !damaged.empty(); ++i)
        damaged[random() % damaged.size()] = static_cast<char>(random());
      error_of_weights(write_file(name, damaged)); // loads, or throws CompileError
    }
}
