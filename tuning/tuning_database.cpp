#include "tuning/tuning_database.h"

#include "ir/diagnostics.h"
#include "ir/json_depth.h"

extern "C" {
#include "runtime/atomic_file.h"
#include "runtime/sinter_runtime.h"
}

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/file.h>
#include <unistd.h>

namespace sinter {

namespace {

using Json = nlohmann::json;

constexpr const char *kFormat = "sinter-tuning-1";
constexpr uintmax_t kMostBytes = uintmax_t{16} << 20U; // some 40,000 entries
constexpr int kMostDepth = 8;

int line_of(const std::string &text, size_t byte) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size()));
  return 1 + static_cast<int>(std::count(text.begin(), end, '\n'));
}

SourceLocation location_at(const std::string &path, int line) {
  return {std::make_shared<const std::string>(path), line, 1};
}

/// Where an entry begins: an object at the second level, strings skipped.
int line_of_entry(const std::string &text, size_t number) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      ++i;
      continue;
    }
    if (text[i] == '"')
      in_string = !in_string;
    if (in_string)
      continue;
    if (text[i] == '{' && depth++ == 1 && number-- == 0)
      return line_of(text, i);
    depth -= text[i] == '}' ? 1 : 0;
  }
  return 1;
}

Json parse_json(const std::string &text, const std::string &path) {
  if (json_depth(text) > kMostDepth)
    throw CompileError(location_at(path, 1), "no tuning database: nested deeper than {} levels",
                       kMostDepth);
  try {
    return Json::parse(text);
  } catch (const Json::parse_error &error) {
    throw CompileError(location_at(path, line_of(text, error.byte > 0 ? error.byte - 1 : 0)),
                       "no tuning database: {}", error.what());
  } catch (const Json::exception &error) { // a number that no double holds
    throw CompileError(location_at(path, 1), "no tuning database: {}", error.what());
  }
}

/// What is wrong with an entry; where it stands is known to whom it is thrown to.
struct EntryError {
  std::string text;
};

template <typename... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args &&...args) {
  throw EntryError{fmt::format(format, std::forward<Args>(args)...)};
}

std::string string_of(const Json &entry, const char *key) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_string())
    refuse("a tuning entry needs a string \"{}\"", key);
  return found->get<std::string>();
}

double time_of(const Json &entry, const char *key) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_number() || !(found->get<double>() >= 0))
    refuse("a tuning entry needs a time \"{}\"", key);
  return found->get<double>();
}

KernelChoice choice_of(const Json &entry) {
  const auto found = entry.find("choice");
  if (found == entry.end() || !found->is_object() || found->empty())
    refuse("a tuning entry needs an object \"choice\"");
  KernelChoice choice;
  for (const auto &[name, value] : found->items()) {
    if (!value.is_number_integer() || value.is_number_unsigned() != (value.get<int64_t>() >= 0))
      refuse("\"{}\" of a tuning entry's choice is no integer", name);
    choice[name] = value.get<int64_t>();
  }
  return choice;
}

TuningEntry entry_of(const Json &json) {
  if (!json.is_object())
    refuse("a tuning entry is an object");
  TuningEntry entry;
  entry.kind = string_of(json, "kind");
  if (entry.kind != "kernel" && entry.kind != "convolution")
    refuse("a tuning entry's kind is kernel or convolution, got \"{}\"", entry.kind);
  entry.key = string_of(json, "key");
  entry.target = string_of(json, "target");
  entry.cpu = string_of(json, "cpu");
  entry.name = string_of(json, "name");
  entry.choice = choice_of(json);
  entry.microseconds = time_of(json, "microseconds");
  entry.estimated_microseconds = time_of(json, "estimated_microseconds");
  return entry;
}

std::string entry_text(const TuningEntry &entry) {
  const auto rounded = [](double time) { return std::round(time * 1000) / 1000; };
  const nlohmann::ordered_json json{
      {"kind", entry.kind},
      {"key", entry.key},
      {"target", entry.target},
      {"cpu", entry.cpu},
      {"name", entry.name},
      {"choice", entry.choice},
      {"microseconds", rounded(entry.microseconds)},
      {"estimated_microseconds", rounded(entry.estimated_microseconds)}};
  return json.dump(-1, ' ', /*ensure_ascii=*/false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

/// Held for as long as a process reads, merges and renames.
class FileLock {
public:
  explicit FileLock(const std::string &path)
      : descriptor_(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX) != 0)
      throw CompileError({}, "cannot lock {}: {}", path, std::strerror(errno));
  }
  ~FileLock() { ::close(descriptor_); }
  FileLock(const FileLock &) = delete;
  FileLock &operator=(const FileLock &) = delete;

private:
  int descriptor_;
};

} // namespace

TuningDatabase TuningDatabase::parse(const std::string &text, const std::string &path) {
  const Json json = parse_json(text, path);
  if (!json.is_object() || !json.contains("format") || json["format"] != kFormat ||
      !json.contains("entries") || !json["entries"].is_array())
    throw CompileError(location_at(path, 1),
                       "no tuning database: expects \"format\": \"{}\" and \"entries\"", kFormat);
  TuningDatabase database;
  const Json &entries = json["entries"];
  for (size_t i = 0; i < entries.size(); ++i)
    try {
      database.put(entry_of(entries[i]));
    } catch (const EntryError &error) {
      throw CompileError(location_at(path, line_of_entry(text, i)), "{}", error.text);
    }
  return database;
}

std::string TuningDatabase::text() const {
  std::string result = fmt::format("{{\"format\": \"{}\", \"entries\": [\n", kFormat);
  size_t count = 0;
  for (const auto &[key, entry] : entries_)
    result += entry_text(entry) + (++count < entries_.size() ? ",\n" : "\n");
  return result + "]}\n";
}

TuningDatabase::Key TuningDatabase::key_of(const TuningEntry &entry) {
  return {entry.kind, entry.key, entry.target, entry.cpu};
}

const TuningEntry *TuningDatabase::find(const std::string &kind, const std::string &key,
                                        const std::string &target, const std::string &cpu) const {
  const auto found = entries_.lower_bound({kind, key, target, cpu});
  if (found == entries_.end())
    return nullptr;
  const TuningEntry &entry = found->second;
  const bool same = entry.kind == kind && entry.key == key && entry.target == target;
  return same && (cpu.empty() || entry.cpu == cpu) ? &entry : nullptr;
}

void TuningDatabase::put(TuningEntry entry) {
  Key key = key_of(entry);
  entries_.insert_or_assign(std::move(key), std::move(entry));
}

void TuningDatabase::remove(const TuningEntry &entry) { entries_.erase(key_of(entry)); }

std::vector<TuningEntry> TuningDatabase::entries() const {
  std::vector<TuningEntry> result;
  for (const auto &[key, entry] : entries_)
    result.push_back(entry);
  return result;
}

TuningDatabase load_tuning(const std::string &path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found)
    return {};
  if (!std::filesystem::is_regular_file(status))
    throw CompileError({}, "{} is no file", path);
  if (const uintmax_t bytes = std::filesystem::file_size(path, error); error || bytes > kMostBytes)
    throw CompileError({}, "{} is no tuning database: it has more than {} bytes", path, kMostBytes);
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file)
    throw CompileError({}, "cannot read {}", path);
  return TuningDatabase::parse(text.str(), path);
}

void update_tuning(const std::string &path, const std::vector<TuningEntry> &put,
                   const std::vector<TuningEntry> &remove) {
  std::error_code ignored; // writing says what is wrong
  if (const auto folder = std::filesystem::path(path).parent_path(); !folder.empty())
    std::filesystem::create_directories(folder, ignored);
  const FileLock lock(path + ".lock");
  TuningDatabase database = load_tuning(path);
  for (const TuningEntry &entry : remove)
    database.remove(entry);
  for (const TuningEntry &entry : put)
    database.put(entry);
  const std::string text = database.text();
  sinter_atomic_clean(path.c_str());
  if (sinter_write_file(path.c_str(), text.data(), text.size()) != SINTER_OK)
    throw CompileError({}, "{}", sinter_last_error());
}

} // namespace sinter
