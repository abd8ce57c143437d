#include "tests/runtime/data_files.h"

extern "C" {
#include "runtime/dataset.h"
#include "runtime/scaling.h"
}

#include <cmath>
#include <cstring>
#include <doctest/doctest.h>

namespace {

bool error_has(const std::string &text) {
  return std::string(sinter_last_error()).find(text) != std::string::npos;
}

struct Source {
  Source(const sinter_model &model, const std::string &where, int kind = SINTER_TRAIN_FILES) {
    status = sinter_source_load(&model, where.c_str(), kind, &source);
  }
  ~Source() { sinter_source_release(&source); }
  Source(const Source &) = delete;
  sinter_source source;
  int status;
};

std::string tiny_pixels(int n) {
  return std::string(static_cast<size_t>(n * tiny::features), '\x7f');
}

} // namespace

TEST_CASE("idx files are read plain and gzipped, multi-byte elements swapped") {
  const TemporaryFolder folder;
  const std::string bytes = idx(0x0c, {2}, std::string("\x00\x00\x01\x02\xff\xff\xff\xfe", 8));
  for (const std::string &form : {bytes, gzip(bytes)}) {
    write_bytes(folder.file("a"), form);
    sinter_array array;
    REQUIRE(sinter_read_idx(folder.file("a").c_str(), &array) == SINTER_OK);
    CHECK(array.rank == 1);
    CHECK(array.count == 2);
    CHECK(sinter_array_integer(&array, 0) == 258);
    CHECK(sinter_array_integer(&array, 1) == -2);
    sinter_array_release(&array);
  }
}

TEST_CASE("broken idx files are refused, naming the file and the trouble") {
  const TemporaryFolder folder;
  const std::string path = folder.file("bad");
  const std::string good = idx(8, {3, 5}, std::string(15, 'x')), packed = gzip(good);
  std::string damaged = packed;
  damaged[damaged.size() - 5] = static_cast<char>(damaged[damaged.size() - 5] ^ 1); // the sum
  const struct {
    std::string bytes, reason;
  } cases[] = {
      {"", "cut short"},
      {"\x1f", "cut short"},
      {good.substr(0, 3), "cut short"},
      {good.substr(0, 9), "cut short"},
      {good.substr(0, 20), "cut short: its array needs 15 bytes, the file has 8"},
      {good + "x", "longer than the 15 elements"},
      {packed.substr(0, packed.size() - 9), "damaged or cut short"},
      {packed.substr(0, 15), "cut short"},
      {damaged, "damaged"},
      {"PNG-no-idx", "no IDX file"},
      {idx(7, {1}, "x"), "no IDX file"},
      {idx(8, {}, "x"), "rank 0"},
      {idx(8, {1, 1, 1, 1, 1, 1, 1, 1, 1}, "x"), "rank 9"},
      {idx(8, {~0u, ~0u, ~0u}, "x"), "does not fit"},
      {gzip(idx(8, {~0u, ~0u, ~0u}, "x")), "does not fit"},
      {gzip(idx(8, {~0u}, "x")), "does not fit"},
  };
  for (const auto &c : cases) {
    INFO(c.reason);
    write_bytes(path, c.bytes);
    sinter_array array;
    CHECK(sinter_read_idx(path.c_str(), &array) == SINTER_ERROR_INPUT);
    CHECK(array.data == nullptr);
    CHECK(error_has(path));
    CHECK(error_has(c.reason));
  }
  sinter_array array;
  CHECK(sinter_read_idx(folder.file("none").c_str(), &array) == SINTER_ERROR_IO);
  CHECK(sinter_read_idx(folder.path.c_str(), &array) != SINTER_OK);
}

TEST_CASE("npy files survive a write and a read") {
  const TemporaryFolder folder;
  std::vector<float> values = {1.5f, -2.0f, 0.1f, 4.0f, 5.0f, 6.0f};
  const sinter_array written = {SINTER_F32, 3, {2, 1, 3}, 6, values.data(), nullptr};
  REQUIRE(sinter_write_npy(folder.file("a.npy").c_str(), &written) == SINTER_OK);
  sinter_array array;
  REQUIRE(sinter_read_npy(folder.file("a.npy").c_str(), &array) == SINTER_OK);
  CHECK(array.rank == 3);
  CHECK((array.dims[0] == 2 && array.dims[1] == 1 && array.dims[2] == 3));
  CHECK(array.element == SINTER_F32);
  const float *read = static_cast<const float *>(array.data);
  CHECK(std::vector<float>(read, read + 6) == values);
  sinter_array_release(&array);
  const std::string bytes = read_bytes(folder.file("a.npy"));
  CHECK((bytes.size() - sizeof(float) * values.size()) % 64 == 0);
}

TEST_CASE("npy files of any real type, byte order and order of dimensions are read") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.npy");
  const auto read = [&](const std::string &bytes, sinter_element element) {
    write_bytes(path, bytes);
    sinter_array array;
    INFO(sinter_last_error());
    REQUIRE(sinter_read_npy(path.c_str(), &array) == SINTER_OK);
    CHECK(array.element == element);
    std::vector<float> values(static_cast<size_t>(array.count));
    sinter_array_floats(&array, 0, array.count, values.data());
    sinter_array_release(&array);
    return values;
  };
  using Floats = std::vector<float>;
  CHECK(read(npy("|b1", "(2,)", std::vector<uint8_t>{1, 0}), SINTER_U8) == Floats{1, 0});
  CHECK(read(npy("<u2", "(1,)", std::vector<uint16_t>{65535}), SINTER_I32) == Floats{65535});
  CHECK(read(npy("<u4", "(1,)", std::vector<uint32_t>{4294967295u}), SINTER_I64) ==
        Floats{4294967295.0f});
  CHECK(read(npy("<u8", "()", std::vector<uint64_t>{7}), SINTER_I64) == Floats{7});
  CHECK(read(npy(">i2", "(2,)", std::vector<uint16_t>{0x0201, 0xfeff}), SINTER_I16) ==
        Floats{0x0102, -2});
  CHECK(read(npy(">f4", "(1,)", std::vector<uint32_t>{0x0000803f}), SINTER_F32) == Floats{1});
  CHECK(read(npy("<f2", "(5,)", std::vector<uint16_t>{0x3c00, 0xc000, 1, 0x7bff, 0xfc00}),
             SINTER_F32) == Floats{1, -2, 5.9604645e-8f, 65504, -INFINITY});
  std::string fortran = npy("<f8", "(2, 3)", std::vector<double>{0, 10, 1, 11, 2, 12});
  fortran.replace(fortran.find("False"), 5, "True ");
  CHECK(read(fortran, SINTER_F64) == Floats{0, 1, 2, 10, 11, 12});
}

TEST_CASE("conversions to a port's type name the first value that has none there") {
  std::vector<double> values = {0, 255, 256, -1, 1.5, 1e39, 2147483648.0};
  char path[] = "a.npy";
  const sinter_array array = {SINTER_F64, 1, {7}, 7, values.data(), path};
  uint8_t bytes[2];
  int32_t words[3];
  float floats[1];
  CHECK(sinter_array_convert(&array, 0, 2, SINTER_U8, bytes) == SINTER_OK);
  CHECK(bytes[1] == 255);
  CHECK(sinter_array_convert(&array, 1, 2, SINTER_U8, bytes) == SINTER_ERROR_INPUT);
  CHECK(error_has("a.npy: element 2 is 256, which is no uint8"));
  CHECK(sinter_array_convert(&array, 1, 3, SINTER_I32, words) == SINTER_OK);
  CHECK(words[2] == -1);
  CHECK(sinter_array_convert(&array, 4, 1, SINTER_I32, words) == SINTER_ERROR_INPUT);
  CHECK(error_has("element 4 is 1.5, which is no int32"));
  CHECK(sinter_array_convert(&array, 6, 1, SINTER_I32, words) == SINTER_ERROR_INPUT);
  CHECK(sinter_array_convert(&array, 5, 1, SINTER_F32, floats) == SINTER_ERROR_INPUT);
  CHECK(error_has("element 5 is 9.9999999999999994e+38, which is no float32"));
}

TEST_CASE("broken npy files are refused") {
  const TemporaryFolder folder;
  const std::string path = folder.file("bad.npy");
  const std::vector<float> two = {1, 2};
  const std::string good = npy("<f4", "(2,)", two);
  const struct {
    std::string bytes, reason;
  } cases[] = {
      {"", "no .npy file"},
      {"\x93NUMPY", "no .npy file"},
      {good.substr(0, 60), "cut short"},
      {good.substr(0, good.size() - 1), "does not fit"},
      {npy("<c8", "(1,)", two), "'<c8'"},
      {npy("<f4", "(9223372036854775807, 9)", two), "does not fit"},
      {npy("<f4", "(99999999999999999999,)", two), "without sound"},
      {npy("<f4", "(-2,)", two), "without sound"},
      {npy("<f4", "[2]", two), "without sound"},
      {npy("<f4", "(1,1,1,1,1,1,1,1,2)", two), "without sound"},
      {npy("<f4x", "(2,)", two), "'<f4'"},
      {npy("<u8", "(1,)", std::vector<uint64_t>{uint64_t{1} << 63}), "9223372036854775808"},
  };
  for (const auto &c : cases) {
    INFO(c.reason);
    write_bytes(path, c.bytes);
    sinter_array array;
    CHECK(sinter_read_npy(path.c_str(), &array) == SINTER_ERROR_INPUT);
    CHECK(error_has(path));
    CHECK(error_has(c.reason));
  }
}

TEST_CASE("a byte is scaled by true float32 division") {
  tiny::Model m;
  float table[256];
  sinter_scale_table(&m.data, table);
  int differ = 0;
  for (int byte = 0; byte < 256; ++byte) {
    CHECK(table[byte] == static_cast<float>(byte) / 255.0f);
    differ += table[byte] != static_cast<float>(byte) * (1.0f / 255.0f);
  }
  CHECK(differ == 126);
  const sinter_scaling steps[] = {
      {SINTER_SUBTRACT, 2.0f}, {SINTER_MULTIPLY, 3.0f}, {SINTER_ADD, 1.0f}};
  m.data.scaling = steps;
  m.data.scaling_count = 3;
  float value = 5.0f;
  sinter_scale(&m.data, &value, 1);
  CHECK(value == 10.0f);
}

TEST_CASE("a folder of idx or npy files is a data set") {
  tiny::Model m;
  const TemporaryFolder idx_folder, npy_folder;
  write_tiny_data(idx_folder, 7, 4);
  const TinyImages images(7);
  std::vector<float> floats;
  for (const char pixel : images.pixels)
    floats.push_back(static_cast<float>(static_cast<unsigned char>(pixel)));
  std::vector<int64_t> labels(images.labels.begin(), images.labels.end());
  write_bytes(npy_folder.file("x_train.npy"), npy("<f4", "(7, 6, 5)", floats));
  write_bytes(npy_folder.file("y_train.npy"), npy("<i8", "(7, 1)", labels));
  Source a(m.model, idx_folder.path), b(m.model, npy_folder.path);
  REQUIRE(a.status == SINTER_OK);
  REQUIRE(b.status == SINTER_OK);
  float table[256];
  sinter_scale_table(&m.data, table);
  const int32_t order[] = {6, 0, 3};
  std::vector<float> x[2];
  x[0].resize(3 * tiny::features);
  x[1].resize(3 * tiny::features);
  int32_t y[2][3];
  void *labels_a[] = {y[0]}, *labels_b[] = {y[1]};
  sinter_gather(&m.model, &a.source, table, order, 3, x[0].data(), labels_a);
  sinter_gather(&m.model, &b.source, table, order, 3, x[1].data(), labels_b);
  CHECK(x[0] == x[1]);
  CHECK(std::memcmp(y[0], y[1], sizeof y[0]) == 0);
  CHECK(y[0][0] == images.labels[6]);
  CHECK(x[0][0] == floats[6 * tiny::features] / 255.0f);
  CHECK(Source(m.model, npy_folder.path, SINTER_TEST_FILES).status == SINTER_ERROR_INPUT);
  CHECK(error_has("nor x_test.npy"));
}

TEST_CASE("pictures of either channel order feed a model that wants its channels first") {
  tiny::Model m;
  const int64_t chw[] = {2, 3, 1};
  std::copy(chw, chw + 3, m.input.dims);
  m.input.channels_first = 1;
  const TemporaryFolder folder;
  write_bytes(folder.file("y_train.npy"), npy("|u1", "(1,)", std::vector<uint8_t>{0}));
  const float table[256] = {};
  const int32_t first = 0;
  int32_t label;
  void *labels[] = {&label};
  const std::vector<float> expected = {0, 2, 4, 1, 3, 5};
  std::vector<float> x(6);
  m.data.scaling_count = 0;
  write_bytes(folder.file("x_train.npy"),
              npy("<f4", "(1, 3, 1, 2)", std::vector<float>{0, 1, 2, 3, 4, 5}));
  {
    Source source(m.model, folder.path);
    INFO(sinter_last_error());
    REQUIRE(source.status == SINTER_OK);
    sinter_gather(&m.model, &source.source, table, &first, 1, x.data(), labels);
    CHECK(x == expected);
  }
  write_bytes(folder.file("x_train.npy"), npy("<f4", "(1, 2, 3, 1)", expected));
  {
    Source source(m.model, folder.path);
    REQUIRE(source.status == SINTER_OK);
    sinter_gather(&m.model, &source.source, table, &first, 1, x.data(), labels);
    CHECK(x == expected);
  }
  write_bytes(folder.file("x_train.npy"), npy("<f4", "(1, 3, 2, 1)", expected));
  CHECK(Source(m.model, folder.path).status == SINTER_ERROR_INPUT);
}

TEST_CASE("several labels of one kind each come from the same array") {
  tiny::Model m;
  sinter_port labels[] = {m.label, m.label};
  labels[1].element = SINTER_F32; // one-hot
  labels[1].rank = 1;
  labels[1].dims[0] = 3;
  m.model.labels = labels;
  m.model.label_count = 2;
  const TemporaryFolder folder;
  write_bytes(folder.file("train-images-idx3-ubyte"), idx(8, {2, 6, 5}, tiny_pixels(2)));
  write_bytes(folder.file("train-labels-idx1-ubyte"), idx(8, {2}, std::string("\x02\x00", 2)));
  const float table[256] = {};
  const int32_t order[] = {0, 1};
  float x[2 * tiny::features], dense[6];
  int32_t numbers[2];
  void *targets[] = {numbers, dense};
  Source source(m.model, folder.path);
  REQUIRE(source.status == SINTER_OK);
  sinter_gather(&m.model, &source.source, table, order, 2, x, targets);
  CHECK(numbers[0] == 2);
  CHECK(std::vector<float>(dense, dense + 6) == std::vector<float>{0, 0, 1, 1, 0, 0});
}

TEST_CASE("files cannot feed several inputs, nor whole numbers, nor one sample alone") {
  tiny::Model m;
  sinter_source source;
  const auto load = [&] {
    return sinter_source_load(&m.model, "anywhere", SINTER_TRAIN_FILES, &source);
  };
  m.input.batched = 0;
  CHECK(load() == SINTER_ERROR_INPUT);
  CHECK(error_has("the input image of tiny has no batch"));
  m.input.batched = 1;
  m.input.element = SINTER_I32;
  CHECK(load() == SINTER_ERROR_INPUT);
  CHECK(error_has("the input image of tiny holds whole numbers"));
  sinter_port inputs[] = {m.input, m.input};
  inputs[1].name = "mask";
  m.model.inputs = inputs;
  m.model.input_count = 2;
  CHECK(load() == SINTER_ERROR_INPUT);
  CHECK(error_has("tiny takes 2 inputs (image, mask), but files of samples feed one"));
}

TEST_CASE("dense labels are one-hot encoded, or taken as they are") {
  tiny::Model m;
  m.label.element = SINTER_F32;
  m.label.rank = 1;
  m.label.dims[0] = 3;
  const TemporaryFolder folder;
  write_bytes(folder.file("train-images-idx3-ubyte"), idx(8, {2, 6, 5}, tiny_pixels(2)));
  write_bytes(folder.file("train-labels-idx1-ubyte"), idx(8, {2}, std::string("\x02\x00", 2)));
  const float table[256] = {};
  const int32_t order[] = {0, 1};
  float x[2 * tiny::features], y[6];
  void *target[] = {y};
  {
    Source source(m.model, folder.path);
    REQUIRE(source.status == SINTER_OK);
    sinter_gather(&m.model, &source.source, table, order, 2, x, target);
    CHECK(std::vector<float>(y, y + 6) == std::vector<float>{0, 0, 1, 1, 0, 0});
  }
  std::filesystem::remove(folder.path / "train-labels-idx1-ubyte");
  write_bytes(folder.file("train-labels-idx1-ubyte"),
              idx(0x0d, {2, 3},
                  std::string("\x3f\x80\x00\x00\0\0\0\0\0\0\0\0\0\0\0\0\x3f\0\0\0\0\0\0\0", 24)));
  Source source(m.model, folder.path);
  REQUIRE(source.status == SINTER_OK);
  sinter_gather(&m.model, &source.source, table, order, 2, x, target);
  CHECK(std::vector<float>(y, y + 6) == std::vector<float>{1, 0, 0, 0, 0.5, 0});
}

TEST_CASE("an autoencoder's labels are its scaled samples, and need no files") {
  tiny::Model m;
  m.label = m.input;
  m.data.reconstruct = 1;
  const TemporaryFolder folder;
  write_bytes(folder.file("train-images-idx3-ubyte"), idx(8, {2, 6, 5}, tiny_pixels(2)));
  Source source(m.model, folder.path);
  REQUIRE(source.status == SINTER_OK);
  float table[256];
  sinter_scale_table(&m.data, table);
  const int32_t order[] = {1};
  std::vector<float> x(tiny::features), y(tiny::features);
  void *labels[] = {y.data()};
  sinter_gather(&m.model, &source.source, table, order, 1, x.data(), labels);
  CHECK(y == std::vector<float>(tiny::features, 127.0F / 255.0F));
  CHECK(x == y);
}

TEST_CASE("samples that do not fit the model are refused with both values") {
  tiny::Model m;
  const TemporaryFolder folder;
  const std::string x = folder.file("train-images-idx3-ubyte");
  const std::string y = folder.file("train-labels-idx1-ubyte");
  const auto fails = [&](const std::string &images, const std::string &labels,
                         const std::string &reason) {
    INFO(reason);
    write_bytes(x, images);
    write_bytes(y, labels);
    CHECK(Source(m.model, folder.path).status == SINTER_ERROR_INPUT);
    CHECK(error_has(reason));
  };
  const std::string images = idx(8, {2, 6, 5}, tiny_pixels(2));
  fails(idx(8, {2, 5, 5}, std::string(50, 'x')), idx(8, {2}, std::string(2, '\0')),
        "samples of shape [5, 5], but the model's input is [6, 5, 1]");
  fails(images, idx(8, {3}, std::string(3, '\0')), "has 2 samples, but " + y + " has 3 labels");
  fails(images, idx(8, {2}, std::string("\x02\x03", 2)),
        y + ": label 1 is 3, but the classes are 0..2");
  fails(images, idx(9, {2}, std::string("\xff\x00", 2)), "label 0 is -1");
  fails(images, idx(0x0d, {2}, std::string(8, '\0')), "must be integers, not float32");
  fails(images, idx(8, {2, 2}, std::string(4, '\0')), "2 values a label");
  std::filesystem::remove(y);
  CHECK(Source(m.model, folder.path).status == SINTER_ERROR_INPUT);
  CHECK(error_has("neither train-labels-idx1-ubyte[.gz] nor y_train.npy"));
  CHECK(Source(m.model, folder.file("none")).status == SINTER_ERROR_INPUT);
  CHECK(error_has("neither a folder nor a known data set"));
}

TEST_CASE("known data sets are looked for in SINTER_DATA_DIR, else a remedy is named") {
  tiny::Model m;
  const TemporaryFolder folder;
  setenv("SINTER_DATA_DIR", folder.path.c_str(), 1);
  CHECK(Source(m.model, "mnist").status == SINTER_ERROR_INPUT);
  CHECK(error_has("the data set mnist is not on this machine"));
  std::filesystem::create_directory(folder.path / "mnist");
  CHECK(Source(m.model, "mnist").status == SINTER_ERROR_INPUT);
  CHECK(error_has(folder.file("mnist") + " has neither"));
  unsetenv("SINTER_DATA_DIR");
  sinter_source source;
  CHECK(sinter_source_load(&m.model, nullptr, SINTER_TRAIN_FILES, &source) == SINTER_ERROR_INPUT);
  CHECK(error_has("give one with --data=DIR"));
}
