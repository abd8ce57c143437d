// Programs made of other tools' models name the same class as those tools did for each of the
// 10,000 test pictures. The models lie in ../shared/golden, outside of the source tree; without
// them nothing is tested here.
#include "frontend/weight_file.h"
#include "tests/end_to_end/support.h"
#include "tests/paths.h"
#include "tests/runtime/data_files.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <zlib.h>

using namespace sinter;

namespace {

constexpr size_t kPixels = 28 * 28;
constexpr size_t kBatch = 1000; // at a time: a batch of all pictures takes gigabytes

std::string golden_path(const std::string &name) { return source_path("../shared/golden/" + name); }

std::vector<unsigned char> read_gzip(const std::string &path) {
  std::vector<unsigned char> bytes;
  gzFile file = gzopen(path.c_str(), "rb");
  REQUIRE(file);
  std::vector<unsigned char> part(size_t{1} << 20U);
  for (int got; (got = gzread(file, part.data(), static_cast<unsigned>(part.size()))) > 0;)
    bytes.insert(bytes.end(), part.begin(), part.begin() + got);
  gzclose(file);
  return bytes;
}

void write_pictures(const std::string &path, const unsigned char *pixels) {
  std::vector<float> scaled;
  for (size_t i = 0; i < kBatch * kPixels; ++i)
    scaled.push_back(static_cast<float>(pixels[i]) / 255.0F);
  write_bytes(path, npy("<f4", fmt::format("({},28,28,1)", kBatch), scaled));
}

/// The largest of each row.
std::vector<float> classes_of(const WeightArray &rows) {
  std::vector<float> classes;
  const auto width = rows.shape.back();
  for (auto row = rows.values.begin(); row != rows.values.end(); row += width)
    classes.push_back(static_cast<float>(std::max_element(row, row + width) - row));
  return classes;
}

/// How large a part of the predictions differs from the expected one.
double share_of_changes(const std::vector<float> &found, const std::vector<float> &expected) {
  REQUIRE(found.size() == expected.size());
  int changed = 0;
  for (size_t i = 0; i < expected.size(); ++i)
    changed += found[i] != expected[i] ? 1 : 0;
  return static_cast<double>(changed) / static_cast<double>(expected.size());
}

/// What a program is made of and how it runs.
struct Setting {
  std::string name;     // of a file of the golden ones
  std::string model;    // a file of ours, for weights that come without a model
  std::string pictures; // of the test
  std::string options;  // of the compiler
  std::vector<std::string> variants{""};
  double most_changes = 0;
};

std::vector<float> predict(const std::string &folder, const std::string &variant,
                           const std::vector<unsigned char> &pictures) {
  std::vector<float> found;
  for (size_t first = 16; first < pictures.size(); first += kBatch * kPixels) { // after a header
    write_pictures(folder + "/x.npy", &pictures[first]);
    const CommandResult run =
        run_command(fmt::format("SINTER_VARIANT={1} {0}/net run --input=@{0}/x.npy "
                                "--output=@{0}/y.npy",
                                folder, variant));
    INFO(run.output);
    REQUIRE(run.status == 0);
    const std::vector<float> classes =
        classes_of(parse_npy("y", read_bytes(folder + "/y.npy")).array);
    found.insert(found.end(), classes.begin(), classes.end());
  }
  return found;
}

void check_predictions(const Setting &setting) {
  INFO(setting.name << setting.options);
  if (!std::filesystem::exists(golden_path(""))) {
    MESSAGE("skipped: there is no " << golden_path(""));
    return;
  }
  const std::string golden = golden_path(setting.name);
  const std::string folder = fresh_folder("golden_" + setting.name + setting.options);
  const bool weights_alone = !setting.model.empty();
  const CommandResult built = run_command(
      fmt::format("{} compile {} {} {} -o {}/net --no-train", build_path("bin/sinter"),
                  weights_alone ? source_path("tests/end_to_end/golden/" + setting.model) : golden,
                  weights_alone ? "--weights=" + golden : "", setting.options, folder));
  INFO(built.output);
  REQUIRE(built.status == 0);
  const SourceLocation results{std::make_shared<const std::string>(golden + ".npz"), 0, 0};
  std::vector<float> expected;
  for (const NamedArray &array : read_npz(results))
    if (array.name == "pred_all")
      expected = array.array.values;
  const std::vector<unsigned char> pictures = read_gzip(setting.pictures);
  for (const std::string &variant : setting.variants) {
    INFO(variant);
    CHECK(share_of_changes(predict(folder, variant, pictures), expected) <= setting.most_changes);
  }
}

const char *const kFashion = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";

} // namespace

TEST_CASE("programs of Keras's files predict as Keras") {
  check_predictions({"keras2_fashion_cnn.h5", "", kFashion, ""});
  check_predictions({"keras3_fashion_cnn.keras", "", kFashion, ""});
}

TEST_CASE("programs with PyTorch's and NumPy's weights predict as they do") {
  check_predictions({"torch_fashion_cnn_book.pt", "torch_fashion_cnn.py", kFashion, ""});
  check_predictions({"simple_convnet_params.pkl", "simple_convnet.py",
                     golden_path("mnist/t10k-images-idx3-ubyte.gz"), ""});
}

TEST_CASE("bf16 changes few predictions, whatever multiplies") {
  check_predictions({"keras2_fashion_cnn.h5",
                     "",
                     kFashion,
                     "--precision=bf16",
                     {"", "avx512", "avx2", "x86-64"},
                     0.003});
}
