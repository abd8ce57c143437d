// From Halide's module to machine code, by way of LLVM's.
#pragma once

#include <Halide.h>
#include <string>

namespace sinter {

/// An ELF object.
std::string generate_object(const Halide::Module &);

std::string generate_assembly(const Halide::Module &);

} // namespace sinter
