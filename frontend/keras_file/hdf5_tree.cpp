#include "frontend/keras_file/hdf5_tree.h"

#include "frontend/keras_file/hdf5_walk.h"
#include "frontend/weight_file.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <new>
#include <optional>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sinter {

namespace {

constexpr rlim_t kMaxSeconds = 4; // the processor's: within ten of the user's on a busy machine
constexpr rlim_t kMaxMemory = rlim_t{3} << 29U; // 1.5 GB beside the compiler's own

// The sanitizer reserves more address space than any limit that would be of use.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kLimitMemory = false;
#elif defined(__has_feature) // clang's way to say it
constexpr bool kLimitMemory = !__has_feature(address_sanitizer);
#else
constexpr bool kLimitMemory = true;
#endif

struct CloseFile {
  void operator()(std::FILE *file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

/// The records of walk_hdf5. They come from a process that may have gone astray: nothing is
/// believed. Any failure is "the file is damaged".
class RecordReader {
public:
  explicit RecordReader(std::FILE *from) : from_(from) {}
  bool read_root(Hdf5Group &root) {
    std::string name;
    return std::fgetc(from_) == 'G' && text(name) && group(root, 0) && std::fgetc(from_) == EOF;
  }

private:
  bool number(int64_t &value, int64_t limit) {
    return std::fread(&value, sizeof value, 1, from_) == 1 && value >= 0 && value <= limit;
  }
  bool text(std::string &value) {
    int64_t length = 0;
    return number(length, int64_t{64} << 20U) && items(value, static_cast<size_t>(length));
  }
  /// Memory grows with what is really there, whatever the count says.
  template <typename Items> bool items(Items &to, size_t count) {
    constexpr size_t kChunk = size_t{1} << 18U;
    for (size_t done = 0; done < count;) {
      const size_t chunk = std::min(kChunk, count - done);
      to.resize(done + chunk);
      if (std::fread(&to[done], sizeof to[0], chunk, from_) != chunk)
        return false;
      done += chunk;
    }
    return true;
  }
  bool group(Hdf5Group &group, int depth);
  bool attribute(Hdf5Group &group);
  bool dataset(Hdf5Group &group);

  std::FILE *from_;
};

bool RecordReader::attribute(Hdf5Group &group) {
  std::string name;
  int64_t count = 0;
  if (!text(name) || !number(count, 1'000'000))
    return false;
  std::vector<std::string> &texts = group.attributes[name];
  for (int64_t i = 0; i < count; ++i) {
    std::string one;
    if (!text(one))
      return false;
    texts.push_back(std::move(one));
  }
  return true;
}

bool RecordReader::dataset(Hdf5Group &group) {
  std::string name;
  Hdf5Dataset set;
  int64_t rank = 0;
  int64_t count = 0;
  if (!text(name) || !text(set.type) || !text(set.problem) || !number(rank, 64))
    return false;
  for (int64_t i = 0; i < rank; ++i) {
    int64_t &extent = set.array.shape.emplace_back();
    if (!number(extent, INT64_MAX) && set.problem.empty())
      return false;
  }
  if (!number(count, kMaxElements))
    return false;
  if (!items(set.array.values, static_cast<size_t>(count)))
    return false;
  if (set.problem.empty() && extent_product(set.array.shape) != count)
    return false;
  group.datasets[name] = std::move(set);
  return true;
}

bool RecordReader::group(Hdf5Group &group, int depth) {
  for (;;) {
    switch (std::fgetc(from_)) {
    case 'A':
      if (!attribute(group))
        return false;
      break;
    case 'D':
      if (!dataset(group))
        return false;
      break;
    case 'G': {
      std::string name;
      if (depth > 100 || !text(name) || !this->group(group.groups[name], depth + 1))
        return false;
      break;
    }
    case 'E':
      return true;
    default:
      return false;
    }
  }
}

/// What a child has to report, by its exit status.
enum Outcome { kRead = 0, kDamaged = 1, kOutOfMemory = 2 };

/// Bytes of data that the process has, which a child inherits and RLIMIT_DATA counts.
rlim_t data_in_use() {
  std::ifstream sizes("/proc/self/statm"); // size resident shared text lib data
  rlim_t pages = 0;
  for (int i = 0; i < 6; ++i)
    sizes >> pages;
  return sizes ? pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

/// In the child: walks the file under limits and leaves without running anything of the parent's.
[[noreturn]] void run_child(const Hdf5Source &source, int to) {
  const rlimit seconds{kMaxSeconds, kMaxSeconds + 1}; // at the second one it could not be told
  const rlim_t most = kMaxMemory + data_in_use();
  const rlimit memory{most, most};
  const rlimit no_core{0, 0};
  for (const int crash : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) // here these mean: damaged
    ::signal(crash, SIG_DFL);
  ::setrlimit(RLIMIT_CPU, &seconds);
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (kLimitMemory)
    ::setrlimit(RLIMIT_DATA, &memory);
  ::setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1); // the file may lie where locks do not work
  std::FILE *stream = ::fdopen(to, "wb");
  Outcome outcome = kDamaged;
  try {
    outcome = stream && walk_hdf5(source, stream) ? kRead : kDamaged;
  } catch (const std::bad_alloc &) {
    outcome = kOutOfMemory;
  }
  if (stream)
    std::fflush(stream);
  ::_exit(outcome);
}

[[noreturn]] void fail_to_start(const SourceLocation &file) {
  throw CompileError(file, "cannot start a process to read it: {}", std::strerror(errno));
}

Hdf5Group read_apart(const Hdf5Source &source, const SourceLocation &file) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    fail_to_start(file);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    run_child(source, ends[1]);
  }
  ::close(ends[1]);
  const File stream(::fdopen(ends[0], "rb"));
  if (child < 0 || !stream)
    fail_to_start(file);
  Hdf5Group root;
  const bool complete = read_hdf5_records(stream.get(), root);
  if (!complete)
    ::kill(child, SIGKILL); // it may be waiting for a reader
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
    throw CompileError(file, "reading it takes more than {} seconds", kMaxSeconds);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kOutOfMemory)
    throw CompileError(file, "reading it takes more than {} MB of memory", kMaxMemory >> 20U);
  if (!complete || !WIFEXITED(status) || WEXITSTATUS(status) != kRead)
    throw CompileError(file, "this is no HDF5 file, or it is damaged");
  return root;
}

/// The names of a path, "a/b" or "a//b".
template <typename Visit> void for_each_name(const std::string &path, Visit visit) {
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin)
      visit(path.substr(begin, end - begin));
    begin = end + 1;
  }
}

} // namespace

const Hdf5Group *Hdf5Group::find_group(const std::string &path) const {
  const Hdf5Group *at = this;
  for_each_name(path, [&](const std::string &name) {
    if (!at)
      return;
    const auto found = at->groups.find(name);
    at = found == at->groups.end() ? nullptr : &found->second;
  });
  return at;
}

const Hdf5Dataset *Hdf5Group::find_dataset(const std::string &path) const {
  const size_t slash = path.rfind('/');
  const Hdf5Group *group = slash == std::string::npos ? this : find_group(path.substr(0, slash));
  if (!group)
    return nullptr;
  const auto found =
      group->datasets.find(slash == std::string::npos ? path : path.substr(slash + 1));
  return found == group->datasets.end() ? nullptr : &found->second;
}

const std::string *Hdf5Group::text(const std::string &attribute) const {
  const auto found = attributes.find(attribute);
  return found != attributes.end() && found->second.size() == 1 ? &found->second[0] : nullptr;
}

bool read_hdf5_records(std::FILE *from, Hdf5Group &root) {
  return RecordReader(from).read_root(root);
}

Hdf5Group read_hdf5(const SourceLocation &file) { return read_apart({*file.file, {}}, file); }

Hdf5Group read_hdf5_image(const std::string &bytes, const SourceLocation &file) {
  return read_apart({"", bytes}, file);
}

} // namespace sinter
