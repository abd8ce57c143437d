// From a program to files: kernels, host module, executable, libraries, header, packages.
//
// The output path OUT names everything: the executable is OUT itself, and beside it lie OUT.h,
// libOUT.a, libOUT.so, OUT.o, OUT.ll, OUT.s, OUT.safetensors, OUT.pc and OUTConfig.cmake. Every
// file is written aside and renamed into place once all of them are ready: a failed build leaves
// none of them, and no old one is harmed.
#pragma once

#include "backends/halide/kernels.h"
#include "ir/diagnostics.h"
#include "ir/program.h"

#include <optional>
#include <string>
#include <vector>

namespace sinter {

/// What `--emit=` names of the kinds made here; the spelling is the enumerator's, but `assembly`
/// is spelled "asm".
enum class Emit { exe, lib, shared, obj, header, llvm, assembly };
const char *name(Emit);
std::optional<Emit> parse_emit(const std::string &);

/// Values for one parameter, logical row-major; they replace its initializer.
struct InitialWeights {
  std::string parameter;
  std::vector<float> values;
};

/// A text about the program, made elsewhere.
struct TextFile {
  std::string extension; // ".sir": it is called OUT.sir
  std::string content;
};

struct BuildOptions {
  std::vector<Emit> emit{Emit::exe};
  std::string output;                  // OUT above
  std::string target = "x86-64";       // "host", "x86-64" or a Halide target string
  std::string cache_directory;         // of compiled kernels; "" for none
  KernelTuning tuning;                 // may be empty
  std::vector<InitialWeights> weights; // may name any subset of the program's parameters
  std::vector<TextFile> texts;         // to appear with what is built
  std::string kernel_assembly;         // follows the host module's in OUT.s
  bool embed_weights = false;          // libraries: compile the weights in instead of writing
                              // OUT.safetensors; an executable has given weights compiled in always
};

struct StageTime {
  std::string stage; // "kernels", "module", "link"
  double seconds = 0;
};

struct BuildResult {
  std::vector<std::string> files; // written
  std::vector<StageTime> times;   // for --time
  int kernels = 0;                // distinct ones, over all variants
  int kernels_compiled = 0;       // those that the cache did not have
};

/// Builds everything in `options.emit`. The symbols' prefix is c_identifier(program.name). Throws
/// CompileError for what the user can mend (an unwritable path, no `cc`, an unknown target, weights
/// that do not fit), with the tool's own output when a tool failed.
BuildResult build_outputs(const Program &, const BuildOptions &, Diagnostics &);

/// A legal prefix of C symbols, as close to `text` as can be: "LeNet-5" gives "LeNet_5", "5net"
/// gives "model_5net", and "timer" gives "timer_model" (POSIX has a timer_create).
std::string c_identifier(const std::string &text);

} // namespace sinter
