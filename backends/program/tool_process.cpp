#include "backends/program/tool_process.h"

#include "ir/diagnostics.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace sinter {

namespace {

/// The process with its output in a pipe, whose reading end is `output`.
int spawn(const std::vector<std::string> &command, pid_t &process, int &output) {
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0)
    return errno;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDERR_FILENO);

  std::vector<char *> words;
  for (const std::string &word : command)
    words.push_back(const_cast<char *>(word.c_str())); // posix_spawn does not write to them
  words.push_back(nullptr);
  const int error = posix_spawnp(&process, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_ends[1]);
  if (error != 0)
    close(pipe_ends[0]);
  output = pipe_ends[0];
  return error;
}

std::string read_all(int file) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t count = read(file, buffer.data(), buffer.size());
    if (count > 0)
      text.append(buffer.data(), static_cast<size_t>(count));
    else if (count == 0 || errno != EINTR)
      return text;
  }
}

int wait_for(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

} // namespace

void run_tool(const std::vector<std::string> &command, const std::string &purpose) {
  pid_t process = 0;
  int output = -1;
  const int error = spawn(command, process, output);
  if (error == ENOENT)
    throw CompileError({}, "{} needs `{}`, which is not on PATH", purpose, command[0]);
  if (error != 0)
    throw CompileError({}, "cannot run `{}`: {}", command[0], std::strerror(error));
  const std::string text = read_all(output);
  close(output);
  const int status = wait_for(process);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return;
  throw CompileError({}, "{} failed, `{}` says:\n{}", purpose, command[0], text);
}

} // namespace sinter
