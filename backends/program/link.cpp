#include "backends/program/link.h"

#include "backends/program/runtime_archives.h"
#include "backends/program/tool_process.h"
#include "ir/diagnostics.h"

#include <fmt/format.h>
#include <fstream>
#include <lld/Common/CommonLinkerContext.h>
#include <lld/Common/Driver.h>
#include <llvm/Object/ArchiveWriter.h>
#include <llvm/Support/raw_ostream.h>
#include <mutex>

namespace sinter {

namespace {

/// LLD as a library. It keeps its state in globals: one link at a time, and a clean-up after each.
void run_lld(const std::vector<std::string> &arguments) {
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  std::vector<const char *> words = {"ld.lld"};
  for (const std::string &argument : arguments)
    words.push_back(argument.c_str());
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  const bool linked =
      lld::elf::link(words, stream, stream, /*exitEarly=*/false, /*disableOutput=*/false);
  lld::CommonLinkerContext::destroy();
  if (!linked)
    throw CompileError({}, "linking failed:\n{}", stream.str());
}

void append(std::vector<std::string> &list, const std::vector<std::string> &more) {
  list.insert(list.end(), more.begin(), more.end());
}

} // namespace

void link_executable(const std::vector<std::string> &objects, const std::string &output) {
  std::vector<std::string> command = {"cc", "-o", output};
  append(command, objects);
  append(command, {runtime_archive("sinter_program"), runtime_archive("sinter_core"),
                   "-Wl,--gc-sections", "-Wl,--as-needed", "-Wl,-s", "-lm", "-lpthread", "-ldl"});
  run_tool(command, "linking an executable");
}

void link_relocatable(const std::vector<std::string> &objects,
                      const std::vector<std::string> &exports, const std::string &output) {
  // Not by LLD: its version 14 writes wrong addends for merged constants in relocatable output.
  std::vector<std::string> command = {"ld", "-r", "-o", output};
  append(command, objects);
  command.push_back(runtime_archive("sinter_core"));
  run_tool(command, "making a library");
  command = {"objcopy", "--strip-unneeded", "--remove-section=.comment", output};
  for (const std::string &function : exports)
    command.push_back("--keep-global-symbol=" + function);
  run_tool(command, "making a library");
}

void make_archive(const std::string &object, const std::string &member_name,
                  const std::string &output) {
  llvm::Expected<llvm::NewArchiveMember> member =
      llvm::NewArchiveMember::getFile(object, /*Deterministic=*/true);
  llvm::Error error = member.takeError();
  if (!error) {
    member->MemberName = member_name; // not the path of a temporary file
    std::vector<llvm::NewArchiveMember> members;
    members.push_back(std::move(*member));
    error = llvm::writeArchive(output, members, /*WriteSymtab=*/true, llvm::object::Archive::K_GNU,
                               /*Deterministic=*/true,
                               /*Thin=*/false);
  }
  if (error)
    throw CompileError({}, "cannot write {}: {}", output, llvm::toString(std::move(error)));
}

void link_shared(const std::vector<std::string> &objects, const std::vector<std::string> &exports,
                 const std::string &soname, const std::string &version_script,
                 const std::string &output) {
  std::ofstream(version_script) << fmt::format("{{ global: {}; local: *; }};\n",
                                               fmt::join(exports, "; "));
  std::vector<std::string> arguments = {"-shared",      "-o",
                                        output,         "-soname",
                                        soname,         "--version-script",
                                        version_script, "--gc-sections",
                                        "-s",           "--no-undefined",
                                        "-z",           "now"};
  append(arguments, objects);
  arguments.push_back(runtime_archive("sinter_core"));
  // The C library itself, not libc6-dev's linker script: a machine that only compiles models need
  // not have it. The loader has the address of thread-local variables.
  append(arguments, {"-L/lib/x86_64-linux-gnu", "-L/lib64", "-L/usr/lib64", "-L/usr/lib",
                     "-l:libc.so.6", "-l:libm.so.6", "--as-needed", "-l:ld-linux-x86-64.so.2"});
  run_lld(arguments);
}

} // namespace sinter
