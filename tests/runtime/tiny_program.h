// Runs the tiny model's executable in a folder of its own.
#pragma once

#include "tests/paths.h"
#include "tests/runtime/data_files.h"

#include <cstdlib>
#include <string>
#include <sys/wait.h>

struct Result {
  int code; // of the exit; 128 + the signal's number when killed
  std::string out, err;
};

inline std::string tiny_program_path() { return sinter::build_path("bin/runtime_tiny_program"); }

struct TinyProgram {
  explicit TinyProgram(int train = 200, int test = 50) { write_tiny_data(data, train, test); }

  // `before`: shell text in front of the program, such as `TINY_PATIENCE=2` or `ulimit -f 1;`.
  Result run(const std::string &arguments, const std::string &before = "") const {
    const std::string out = data.file("stdout"), err = data.file("stderr");
    const std::string command = "cd '" + folder.path.string() + "'; " + before + " '" +
                                tiny_program_path() + "' " + arguments + " >'" + out + "' 2>'" +
                                err + "'";
    const int status = std::system(command.c_str());
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, read_bytes(out), read_bytes(err)};
  }

  std::string with_data() const { return " --data=" + data.path.string() + " "; }
  std::string checkpoint() const { return read_bytes(folder.file(name + ".safetensors")); }
  std::string resume_file() const { return read_bytes(folder.file(name + ".resume.safetensors")); }

  const std::string name = "runtime_tiny_program";
  TemporaryFolder data, folder;
};

inline bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}
