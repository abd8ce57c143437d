// Halide, LLVM and LLD share one process and one libLLVM: Halide compiles and runs a kernel, and
// LLD links its object, twice over. Guards the set-up of sinter_llvm and sinter_lld.
#include "tests/paths.h"

#include <Halide.h>
#include <filesystem>
#include <lld/Common/CommonLinkerContext.h>
#include <lld/Common/Driver.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>
#include <string>

#undef CHECK // LLD's, in the way of doctest's
#include <doctest/doctest.h>

namespace {

Halide::Func doubled() {
  Halide::Var x("x");
  Halide::Func f("doubled");
  f(x) = x * 2;
  return f;
}

std::string link_shared(const std::string &object, const std::string &library) {
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  const bool linked =
      lld::elf::link({"ld.lld", "-shared", object.c_str(), "-o", library.c_str()}, stream, stream,
                     /*exitEarly=*/false, /*disableOutput=*/false);
  lld::CommonLinkerContext::destroy();
  return linked ? "" : stream.str();
}

} // namespace

TEST_CASE("Halide, LLVM and LLD work side by side, twice") {
  const std::string object = sinter::build_path("one_llvm_test.o");
  const std::string library = sinter::build_path("one_llvm_test.so");
  const Halide::Target target = Halide::get_host_target().with_feature(Halide::Target::NoRuntime);
  for (int round = 0; round < 2; ++round) {
    CAPTURE(round);
    doubled().compile_to_object(object, {}, "doubled", target);
    CHECK(link_shared(object, library) == "");
    CHECK(std::filesystem::file_size(library) > 0);
    const Halide::Buffer<int> result = doubled().realize({4});
    CHECK(result(3) == 6);
    llvm::LLVMContext context;
    const llvm::Module module("empty", context);
    CHECK_FALSE(llvm::verifyModule(module));
  }
}
