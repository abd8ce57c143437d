#include "tests/runtime/tiny_program.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <jansson.h>
#include <sstream>

namespace {

json_t *parse(const std::string &text) { return json_loads(text.c_str(), 0, nullptr); }

double number(const json_t *object, const char *field) {
  return json_number_value(json_object_get(object, field));
}

std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text + separator);
  for (std::string part; std::getline(in, part, separator);)
    parts.push_back(part);
  return parts;
}

/// Of CSV without commas in its fields.
std::vector<std::vector<std::string>> table(const std::string &csv) {
  std::vector<std::vector<std::string>> rows;
  for (const std::string &line : split(csv, '\n'))
    if (!line.empty())
      rows.push_back(split(line, ','));
  return rows;
}

} // namespace

TEST_CASE("wrong usage exits with 2 and names what is wrong") {
  const TinyProgram program;
  const struct {
    std::string arguments, reason;
  } cases[] = {
      {"", "expected a command"},
      {"trian", "unknown command trian"},
      {"train --epoch-count=3", "unknown option --epoch-count=3 of train"},
      {"train -x", "unknown option -x of train"},
      {"evaluate --epochs=3", "unknown option --epochs=3 of evaluate"},
      {"info --weights=w.safetensors", "unknown option --weights=w.safetensors of info"},
      {"train --epochs=zero", "--epochs=zero: expected a whole number of at least 1"},
      {"train --epochs=0", "--epochs=0: expected"},
      {"train --epochs=99999999999999999999", "expected a whole number"},
      {"train --seed=-1", "--seed=-1: expected a whole number"},
      {"train --learning-rate=nan", "--learning-rate=nan: expected a number"},
      {"train --epochs", "--epochs needs a value"},
      {"train --data=", "--data=: expected DIR"},
      {"train now", "unexpected argument now of train"},
      {"evaluate --split=dev", "--split=dev: expected test, val or train"},
      {"bench --json --csv", "exclude each other"},
      {"predict", "predict needs an image"},
      {"run --input=3x4", "--input=3x4: expected @x.npy"},
      {"run --input=random:1", "expected @x.npy"},
      {"run --input=1x0x5x1xf32=2", "expected @x.npy"},
      {"run --input=1x6x5x1xf32=2 --input=1x6x5x1xf32=3", "is one too many: there are 1"},
      {"run --input=picture=@x.npy", "--input=picture=@x.npy: there is no picture"},
      {"run --input=image=@x.npy --input=image=@x.npy", "two --input are for image"},
  };
  for (const auto &c : cases) {
    const Result result = program.run(c.arguments);
    INFO(c.arguments << ": " << result.err);
    CHECK(result.code == 2);
    CHECK(contains(result.err, c.reason));
    CHECK(result.out.empty());
  }
}

TEST_CASE("help and version go to standard output") {
  const TinyProgram program;
  CHECK(contains(program.run("--help").out, "evaluate"));
  const Result train = program.run("train --help");
  CHECK(train.code == 0);
  CHECK(contains(train.out, "--learning-rate=X"));
  CHECK(!contains(train.out, "--split"));
  CHECK(contains(program.run("--version").out, "tiny, compiled by sinter"));
}

TEST_CASE("evaluate takes its part of the data and the file of weights that train left") {
  const TinyProgram program;
  const Result before = program.run("evaluate" + program.with_data());
  CHECK(before.code == 0);
  CHECK(contains(before.err, "the weights are untrained"));
  CHECK(contains(before.out, ", 50 samples"));
  CHECK(contains(program.run("evaluate --split=val" + program.with_data()).out, ", 40 samples"));
  CHECK(contains(program.run("evaluate --split=train" + program.with_data()).out, ", 160 samples"));
  program.run("train --quiet" + program.with_data());
  const Result after = program.run("evaluate" + program.with_data());
  CHECK(after.err.empty());
  CHECK(after.out != before.out);
  CHECK(program.run("evaluate --weights=none" + program.with_data()).code == 1);
  CHECK(program.run("evaluate").code == 1);
}

TEST_CASE("predict names the classes of pictures and arrays") {
  const TinyProgram program;
  program.run("train --quiet --epochs=20" + program.with_data());
  const TinyImages images(3, 99);
  std::vector<uint8_t> bytes(images.pixels.begin(), images.pixels.end());
  std::vector<float> floats;
  for (const uint8_t byte : bytes)
    floats.push_back(static_cast<float>(byte) / 255.0f);
  write_bytes(program.folder.file("u.npy"), npy("|u1", "(3, 6, 5)", bytes));
  write_bytes(program.folder.file("f.npy"), npy("<f4", "(3, 6, 5, 1)", floats));
  const Result u = program.run("predict u.npy --json"), f = program.run("predict f.npy --json");
  CHECK(u.code == 0);
  std::string same = f.out;
  for (size_t at; (at = same.find("f.npy")) != std::string::npos;)
    same.replace(at, 5, "u.npy");
  CHECK(u.out == same);
  json_t *first = parse(u.out.substr(0, u.out.find('\n')));
  const json_t *top = json_array_get(json_object_get(first, "top"), 0);
  CHECK(json_integer_value(json_object_get(top, "index")) == images.labels[0]);
  CHECK(number(top, "probability") > 0.5);
  json_decref(first);
  CHECK(contains(program.run("predict u.npy --top=1").out, "u.npy[2]: "));
  write_bytes(program.folder.file("bad.npy"), npy("|u1", "(2, 2)", std::vector<uint8_t>(4)));
  CHECK(contains(program.run("predict bad.npy").err,
                 "bad.npy has samples of shape [2], but the model's input is [6, 5, 1]"));
  CHECK(program.run("predict none.png").code == 1);
}

TEST_CASE("run maps tensors, compares them and exits by the result") {
  const TinyProgram program;
  const Result result = program.run("run --input=4x6x5x1xf32=0.5 --output=@y.npy");
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK(program.run("run --input=image=4x6x5x1xf32=0.5 --expected=prediction=@y.npy").code == 0);
  const Result differs = program.run("run --input=4x6x5x1xf32=0.75 --expected=@y.npy --json");
  CHECK(differs.code == 1);
  CHECK(contains(differs.out, "\"ok\":false"));
  CHECK(contains(differs.err, "12 of 12 elements differ from y.npy"));
  CHECK(program.run("run --input=4x6x5x1xf32=0.75 --expected=@y.npy --atol=1").code == 0);
  const Result random = program.run("run --input=random:7:100x6x5 --json");
  json_t *object = parse(random.out);
  const json_t *output = json_array_get(json_object_get(object, "outputs"), 0);
  CHECK(json_array_size(json_object_get(output, "data")) == 300);
  json_decref(object);
  CHECK(random.out == program.run("run --input=random:7:100x6x5 --json").out);
  const Result wrong = program.run("run --input=2x7x5x1xf32=1");
  CHECK(wrong.code == 1);
  CHECK(contains(wrong.err, "has shape [2, 7, 5, 1], but the model needs [n, 6, 5, 1]"));
  write_bytes(program.folder.file("big.npy"), npy(">f8", "(1, 6, 5)", std::vector<double>(30, 0)));
  CHECK(program.run("run --input=@big.npy --output=@big.out.npy").code == 0);
  write_bytes(program.folder.file("nan.npy"),
              npy("<f4", "(1, 3)", std::vector<float>(3, std::numeric_limits<float>::quiet_NaN())));
  CHECK(program.run("run --input=@big.npy --expected=@nan.npy").code == 1);
  const auto compare = [&](const char *shape, float value) {
    write_bytes(program.folder.file("want.npy"), npy("<f4", shape, std::vector<float>(12, value)));
    return program.run("run --input=4x6x5x1xf32=0.5 --expected=@want.npy --json --atol=10");
  };
  for (const char *same : {"(4, 3)", "(4, 1, 3)", "(1, 4, 3, 1)"})
    CHECK(compare(same, 0).code == 0);
  for (const char *other : {"(3, 4)", "(12,)", "(2, 2, 3)"})
    CHECK(compare(other, 0).code == 1);
  CHECK(contains(compare("(3, 4)", 0).err, "prediction has shape [4, 3], want.npy [3, 4]"));
  const Result infinite = compare("(4, 3)", std::numeric_limits<float>::infinity());
  CHECK(infinite.code == 1);
  CHECK(contains(infinite.out, "\"ok\":false"));
  CHECK_FALSE(contains(infinite.out, "error\":0"));
  CHECK(program.run("run --input=random:0:1000000000x1000000000x1000000000").code == 1);
}

TEST_CASE("bench has a row for each kernel, as text, CSV and JSON") {
  const TinyProgram program;
  const Result text = program.run("bench --time=0.01 --threads=2");
  INFO(text.err);
  CHECK(text.code == 0);
  CHECK(contains(text.out, "dense.0"));
  const Result csv = program.run("bench --time=0.01 --csv --train --batch=3 --cold");
  CHECK(contains(csv.out, "name,ops,algorithm,median_ms,min_ms,mad_ms,gflop,gflops,gbps,peak_pct"));
  CHECK(contains(csv.out, "\"update.0\""));
  const auto rows = table(csv.out);
  REQUIRE(rows.size() == 1 + 4 + 2);
  for (const auto &row : rows)
    CHECK(row.size() == rows[0].size());
  CHECK(rows[5][0] == "\"all kernels\"");
  CHECK(rows[6][0] == "\"step\"");
  const auto of_step = [&](const char *title) {
    const auto found = std::find(rows[0].begin(), rows[0].end(), title);
    REQUIRE(found != rows[0].end());
    return std::stod(rows[6][static_cast<size_t>(found - rows[0].begin())]);
  };
  CHECK(of_step("median_ms") <= of_step("p90_ms"));
  CHECK(of_step("p90_ms") <= of_step("p99_ms"));
  CHECK(of_step("samples_per_second") == doctest::Approx(3e3 / of_step("median_ms")).epsilon(1e-4));
  CHECK(of_step("peak_bytes") > 100e3);
  json_t *object = parse(program.run("bench --time=0.01 --train --threads=1 --json").out);
  CHECK(number(object, "batch") == 16);
  CHECK(number(object, "threads") == 1);
  CHECK(number(object, "peak_gflops") > 1.0);
  CHECK(number(object, "peak_gbps") > 0.5);
  CHECK(number(object, "min_ms") <= number(object, "median_ms"));
  CHECK(number(object, "median_ms") <= number(object, "p99_ms"));
  const json_t *kernels = json_object_get(object, "kernels");
  REQUIRE(json_array_size(kernels) == 4);
  const json_t *dense = json_array_get(kernels, 1);
  CHECK(number(dense, "gflop") == doctest::Approx(16 * 2e-9 * tiny::features * tiny::classes));
  CHECK(number(dense, "gflops") ==
        doctest::Approx(number(dense, "gflop") / number(dense, "median_ms") * 1e3));
  CHECK(number(dense, "min_ms") <= number(dense, "median_ms"));
  CHECK(number(dense, "mad_ms") >= 0);
  CHECK(number(dense, "roof_pct") ==
        doctest::Approx(std::max(number(dense, "peak_pct"),
                                 100 * number(dense, "gbps") / number(object, "peak_gbps"))));
  CHECK(number(object, "samples_per_second") ==
        doctest::Approx(16e3 / number(object, "median_ms")));
  CHECK(number(object, "peak_bytes") > 100e3);
  json_decref(object);
}

TEST_CASE("bench sets times beside those of an earlier measurement") {
  const TinyProgram program;
  const std::string earlier = program.folder.file("earlier.json");
  write_bytes(earlier, R"({"mode": "inference", "threads": 7, "median_ms": 1e6, "kernels":
    [{"name": "dense.0", "median_ms": 1e6}, {"name": "gone", "median_ms": 1}]})");
  const std::string compare = "bench --time=0.01 --threads=1 --compare=earlier.json ";
  const Result text = program.run(compare);
  INFO(text.err);
  CHECK(text.code == 0);
  CHECK(contains(text.out, "before: median 1000000.0000 ms"));
  CHECK(text.err == "note: earlier.json: threads 7, here 1\n");
  const auto rows = table(program.run(compare + "--csv").out);
  CHECK(rows[0].back() == "ratio");
  for (const auto &row : rows)
    CHECK(row.size() == rows[0].size());
  CHECK(rows.back()[rows[0].size() - 2] == "1e+06");
  json_t *object = parse(program.run(compare + "--json").out);
  CHECK(number(object, "ratio") == doctest::Approx(1e6 / number(object, "median_ms")));
  size_t k;
  json_t *kernel;
  json_array_foreach(json_object_get(object, "kernels"), k, kernel) {
    const std::string name = json_string_value(json_object_get(kernel, "name"));
    CHECK((json_object_get(kernel, "ratio") != nullptr) == (name == "dense.0"));
  }
  json_decref(object);

  const auto fails = [&](const std::string &content, const std::string &reason) {
    write_bytes(earlier, content);
    const Result result = program.run(compare);
    INFO(result.err);
    CHECK(result.code == 1);
    CHECK(contains(result.err, "earlier.json" + reason));
  };
  fails("{\"median_ms\": ", ":1:");
  fails("{\"median_ms\": 1}", " is not what bench --json prints");
  fails(R"({"median_ms": 1, "kernels": [{"name": 1, "median_ms": 1}]})", " is not what");
  std::filesystem::remove(earlier);
  CHECK(contains(program.run(compare).err, "earlier.json: No such file"));
}

TEST_CASE("bench times the weights that were trained, given or found") {
  const TinyProgram program;
  CHECK(program.run("bench --time=0.01").err.empty());
  write_bytes(program.folder.file(program.name + ".safetensors"), "no weights");
  const Result found = program.run("bench --time=0.01");
  CHECK(found.code == 1);
  CHECK(contains(found.err, program.name + ".safetensors"));
  const Result given = program.run("bench --time=0.01 --weights=none.safetensors");
  CHECK(given.code == 1);
  CHECK(contains(given.err, "none.safetensors"));
}

TEST_CASE("info tells what the program is") {
  const TinyProgram program;
  const Result text = program.run("info");
  CHECK(text.code == 0);
  CHECK(contains(text.out, "parameters: 93 trainable"));
  json_t *object = parse(program.run("info --json").out);
  CHECK(number(object, "total_params") == 93);
  CHECK(json_object_get(object, "training") != nullptr);
  json_decref(object);
}

TEST_CASE("absurd sizes are refused, not tried") {
  const TinyProgram program;
  const Result result = program.run("train --batch-size=2147483647" + program.with_data());
  CHECK(result.code == 1);
  CHECK(contains(result.err, "memory"));
  CHECK(program.run("train --threads=100000" + program.with_data()).code == 1);
  CHECK(program.run("info", "SINTER_VARIANT=neon").code == 1);
}
