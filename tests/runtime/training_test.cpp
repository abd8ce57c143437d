#include "tests/runtime/tiny_program.h"

#include <csignal>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <jansson.h>
#include <sstream>
#include <unistd.h>

namespace {

std::vector<std::string> lines(const std::string &text) {
  std::vector<std::string> result;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    result.push_back(line);
  return result;
}

// The bytes of one tensor of a safetensors file.
std::string tensor_bytes(const std::string &file, const std::string &name) {
  REQUIRE(file.size() > 8);
  uint64_t length;
  std::memcpy(&length, file.data(), sizeof length);
  json_t *header = json_loadb(file.data() + 8, length, 0, nullptr);
  const json_t *offsets = json_object_get(json_object_get(header, name.c_str()), "data_offsets");
  REQUIRE(json_array_size(offsets) == 2);
  const auto begin = static_cast<size_t>(json_integer_value(json_array_get(offsets, 0)));
  const auto end = static_cast<size_t>(json_integer_value(json_array_get(offsets, 1)));
  json_decref(header);
  REQUIRE(end > begin);
  return file.substr(8 + length + begin, end - begin);
}

// Starts training and kills it with SIGKILL after that many microseconds.
void train_and_kill(const TinyProgram &program, const std::string &arguments, unsigned delay) {
  const pid_t child = fork();
  if (child == 0) {
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, 1);
    dup2(null, 2);
    if (chdir(program.folder.path.c_str()) == 0)
      execl("/bin/sh", "sh", "-c", ("exec '" + tiny_program_path() + "' " + arguments).c_str(),
            static_cast<char *>(nullptr));
    _exit(127);
  }
  usleep(delay);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

} // namespace

TEST_CASE("training learns, and leaves the best weights, a history and a resume file") {
  const TinyProgram program;
  const Result result = program.run("train --epochs=6 --history=h.csv" + program.with_data());
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK(lines(result.out).size() == 7);
  CHECK(contains(result.out, "epoch 1/6: loss "));
  CHECK(contains(result.out, "best epoch"));
  CHECK(program.folder.count() == 3);
  const std::vector<std::string> csv = lines(read_bytes(program.folder.file("h.csv")));
  CHECK(csv.size() == 7);
  CHECK(csv[0] == "epoch,loss,accuracy,val_loss,val_accuracy");
  const Result evaluation = program.run("evaluate --json" + program.with_data());
  json_t *object = json_loads(evaluation.out.c_str(), 0, nullptr);
  CHECK(json_number_value(json_object_get(object, "accuracy")) > 0.9);
  CHECK(json_integer_value(json_object_get(object, "samples")) == 50);
  json_decref(object);
}

TEST_CASE("the json lines have the promised fields and progress goes to standard error") {
  const TinyProgram program;
  const Result result = program.run("train --epochs=2 --json" + program.with_data());
  const std::vector<std::string> out = lines(result.out);
  REQUIRE(out.size() == 3);
  CHECK(contains(result.err, "epoch 1/2"));
  json_t *epoch = json_loads(out[1].c_str(), 0, nullptr),
         *last = json_loads(out[2].c_str(), 0, nullptr);
  CHECK(json_integer_value(json_object_get(epoch, "epoch")) == 2);
  for (const char *field : {"loss", "accuracy", "val_loss", "val_accuracy", "seconds"})
    CHECK(json_is_real(json_object_get(epoch, field)));
  CHECK(json_integer_value(json_object_get(last, "epochs")) == 2);
  CHECK(json_is_false(json_object_get(last, "stopped_early")));
  CHECK(json_integer_value(json_object_get(last, "best_epoch")) >= 1);
  json_decref(epoch);
  json_decref(last);
}

TEST_CASE("a metric's name is whole, however long: those of two outputs may begin alike") {
  const TinyProgram program;
  const std::string name(100, 'a');
  const Result result = program.run("train --epochs=1 --json --history=h.csv" + program.with_data(),
                                    "TINY_METRIC=" + name);
  CHECK(result.code == 0);
  CHECK(contains(result.out, "\"val_" + name + "\":"));
  CHECK(contains(result.err, ", val_" + name + " "));
  CHECK(contains(read_bytes(program.folder.file("h.csv")), ",val_" + name + "\n"));
}

TEST_CASE("the same seed gives the same bits for any number of threads, another seed others") {
  std::string first;
  for (const char *threads : {"1", "2", "3"}) {
    const TinyProgram program;
    const std::string arguments = "train --epochs=3 --quiet --threads=" + std::string(threads);
    CHECK(program.run(arguments + program.with_data()).code == 0);
    if (first.empty())
      first = program.resume_file();
    CHECK(program.resume_file() == first);
  }
  const TinyProgram other;
  CHECK(other.run("train --epochs=3 --quiet --seed=5" + other.with_data()).code == 0);
  CHECK(other.resume_file() != first);
}

TEST_CASE("training in two runs is training in one, bit for bit") {
  const TinyProgram whole, parts;
  const std::string history = " --history=h.csv --quiet";
  CHECK(whole.run("train --epochs=5" + history + whole.with_data()).code == 0);
  CHECK(parts.run("train --epochs=2" + history + parts.with_data()).code == 0);
  CHECK(parts.resume_file() != whole.resume_file());
  CHECK(parts.run("train --epochs=5 --resume" + history + parts.with_data()).code == 0);
  CHECK(parts.resume_file() == whole.resume_file());
  CHECK(parts.checkpoint() == whole.checkpoint());
  CHECK(read_bytes(parts.folder.file("h.csv")) == read_bytes(whole.folder.file("h.csv")));
}

TEST_CASE("killed at any moment and resumed, training ends in the same bits") {
  const int train = 3000, test = 50;
  const std::string arguments = "train --epochs=6 --quiet --history=h.csv --threads=1";
  const TinyProgram whole(train, test);
  CHECK(whole.run(arguments + whole.with_data()).code == 0);
  unsigned state = 12345;
  for (int round = 0; round < 6; ++round) {
    const TinyProgram killed(train, test);
    for (int kills = 0; kills < 4; ++kills) {
      state = state * 1664525u + 1013904223u;
      train_and_kill(killed, arguments + " --resume" + killed.with_data(), 5000 + state % 60000);
      const std::string file = killed.folder.file(killed.name + ".safetensors");
      if (std::filesystem::exists(file)) // never torn
        CHECK(killed.run("evaluate --weights=" + file + killed.with_data()).code == 0);
    }
    CHECK(killed.run(arguments + " --resume" + killed.with_data()).code == 0);
    CHECK(killed.resume_file() == whole.resume_file());
    CHECK(killed.checkpoint() == whole.checkpoint());
    CHECK(read_bytes(killed.folder.file("h.csv")) == read_bytes(whole.folder.file("h.csv")));
    CHECK(killed.folder.count() == 3); // no temporaries of the killed are left
  }
}

TEST_CASE("early stopping stops, and stays stopped when resumed") {
  const TinyProgram program;
  const std::string train = "train --epochs=100 --learning-rate=5" + program.with_data();
  const Result first = program.run(train, "TINY_PATIENCE=1");
  CHECK(first.code == 0);
  CHECK(contains(first.out, "stopped early after"));
  CHECK(lines(first.out).size() < 90);
  const std::string checkpoint = program.checkpoint(), resume = program.resume_file();
  const Result again = program.run(train + " --resume --json", "TINY_PATIENCE=1");
  CHECK(again.code == 0);
  CHECK(contains(again.out, "\"stopped_early\":true"));
  CHECK(program.checkpoint() == checkpoint);
  CHECK(program.resume_file() == resume);
}

TEST_CASE("a checkpoint of every epoch holds the last one's weights") {
  const TinyProgram every, best;
  const std::string train = "train --epochs=6 --learning-rate=5 --quiet";
  CHECK(every.run(train + every.with_data(), "TINY_CHECKPOINT=every").code == 0);
  CHECK(best.run(train + best.with_data()).code == 0);
  for (const std::string name : {"dense/kernel", "dense/bias"}) { // the last epoch is not the best
    const std::string last = tensor_bytes(every.resume_file(), name);
    CHECK(tensor_bytes(every.checkpoint(), name) == last);
    CHECK(tensor_bytes(best.resume_file(), name) == last);
    CHECK(tensor_bytes(best.checkpoint(), name) != last);
  }
  const Result weights = every.run(
      "train --epochs=6 --learning-rate=5 --resume" + every.with_data(), "TINY_CHECKPOINT=every");
  CHECK(contains(weights.out, "; the last epoch's weights in runtime_tiny_program.safetensors"));
}

TEST_CASE("early stopping and the checkpoint judge by monitors of their own, resumed or not") {
  const std::string monitors = "TINY_CHECKPOINT=accuracy TINY_PATIENCE=3";
  const std::string train = "train --learning-rate=5 --quiet --history=h.csv --epochs=";
  const TinyProgram whole, parts, other;
  CHECK(whole.run(train + "8" + whole.with_data(), monitors).code == 0);
  CHECK(parts.run(train + "2" + parts.with_data(), monitors).code == 0);
  CHECK(parts.run(train + "8 --resume" + parts.with_data(), monitors).code == 0);
  CHECK(parts.resume_file() == whole.resume_file());
  CHECK(parts.checkpoint() == whole.checkpoint());
  CHECK(contains(whole.resume_file(), "\"best/dense/kernel\""));
  const Result changed = parts.run(train + "9 --resume" + parts.with_data(), "TINY_PATIENCE=3");
  CHECK(contains(changed.err, "trained with the checkpoint by \"accuracy max 0\", this run has "
                              "\"val_loss min 0\""));
}

TEST_CASE("resuming on another instruction set works and is told") {
  const TinyProgram program;
  if (!contains(program.run("info").out, "avx2 (this machine's)")) {
    MESSAGE("skipped: this processor has one variant only");
    return;
  }
  program.run("train --epochs=1" + program.with_data(), "SINTER_VARIANT=x86-64");
  const Result result = program.run("train --epochs=2 --resume" + program.with_data());
  CHECK(result.code == 0);
  CHECK(contains(result.out, "with the x86-64 variant so far, now with avx2"));
}

TEST_CASE("resuming with other settings is refused with both values") {
  const TinyProgram program;
  CHECK(program.run("train --epochs=1 --resume" + program.with_data())
            .out.find("training starts from the beginning") != std::string::npos);
  const auto refused = [&](const std::string &option, const std::string &reason) {
    const Result result = program.run("train --epochs=2 --resume " + option + program.with_data());
    CHECK(result.code == 1);
    INFO(result.err);
    CHECK(contains(result.err, reason));
  };
  refused("--batch-size=8", "trained with batch size 16, this run has 8");
  refused("--seed=3", "trained with seed 0, this run has 3");
  refused("--learning-rate=0.25", "learning rate 0.0500000007, this run has 0.25");
  const TinyProgram other(100, 50);
  const Result result = program.run("train --epochs=2 --resume" + other.with_data());
  CHECK(contains(result.err, "training samples 160, this run has 80"));
  write_bytes(program.folder.file(program.name + ".resume.safetensors"), program.checkpoint());
  refused("", "holds no training state");
}

TEST_CASE("a loss that is not finite is reported with its epoch and layer, and keeps the files") {
  const TinyProgram program;
  const Result result = program.run("train --learning-rate=3e38" + program.with_data());
  CHECK(result.code == 1);
  INFO(result.err);
  CHECK(contains(result.err, "the loss is not finite in epoch 1, batch "));
  CHECK(contains(result.err, "in layer dense (kernel "));
  CHECK(program.folder.count() == 0);
}

TEST_CASE("a sample that is not finite is named") {
  const TinyProgram program;
  const TemporaryFolder folder;
  std::vector<float> x(20 * tiny::features, 0.5f);
  x[7 * tiny::features + 3] = std::numeric_limits<float>::quiet_NaN();
  write_bytes(folder.file("x_train.npy"), npy("<f4", "(20, 6, 5)", x));
  write_bytes(folder.file("y_train.npy"), npy("<i8", "(20,)", std::vector<int64_t>(20, 1)));
  const Result result = program.run("train --data=" + folder.path.string());
  CHECK(result.code == 1);
  INFO(result.err);
  CHECK(contains(result.err, folder.file("x_train.npy") + ": sample 7 is not finite"));
}

TEST_CASE("an interrupt keeps the finished epochs and says how to go on") {
  const TinyProgram program;
  const std::string interrupt_after_an_epoch =
      "timeout 300 sh -c '\"$@\" & while ! [ -e " + program.name +
      ".resume.safetensors ]; do sleep 0.01; done; kill -INT $!; wait $!' sh";
  const Result result =
      program.run("train --epochs=100000 --quiet" + program.with_data(), interrupt_after_an_epoch);
  INFO(result.err);
  CHECK(contains(result.err, "go on with --resume"));
  CHECK(program.run("train --epochs=1 --resume" + program.with_data()).code == 0);
}

TEST_CASE("a disk that is full or read-only is found, with nothing half-written") {
  const TinyProgram program;
  const Result full = program.run("train" + program.with_data(), "ulimit -f 1;");
  CHECK(full.code == 1);
  CHECK(contains(full.err, "File too large"));
  CHECK(program.folder.count() == 0);
  const Result device = program.run("train --checkpoint=/dev/full" + program.with_data());
  CHECK(device.code == 1);
  CHECK(std::filesystem::is_character_file("/dev/full"));
  const Result missing = program.run("train --checkpoint=none/w.safetensors" + program.with_data());
  CHECK(missing.code == 1);
  CHECK(contains(missing.err, "cannot write none/w.safetensors: No such file"));
  const Result history = program.run("train --history=/proc/h.csv" + program.with_data());
  CHECK(history.code == 1);
  CHECK(program.run("train --epochs=1 --json" + program.with_data() + " >/dev/full #").code == 1);
}
