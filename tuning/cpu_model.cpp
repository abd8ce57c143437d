#include "tuning/cpu_model.h"

#include <array>
#include <cpuid.h>
#include <cstring>
#include <fmt/format.h>

namespace sinter {

namespace {

using Registers = std::array<unsigned, 4>; // eax, ebx, ecx, edx

Registers cpuid(unsigned leaf) {
  Registers r{};
  __get_cpuid(leaf, &r[0], &r[1], &r[2], &r[3]); // of a leaf that is not there: zeros
  return r;
}

std::string characters(const unsigned *registers, size_t count) {
  std::string text(count * sizeof(unsigned), '\0');
  std::memcpy(text.data(), registers, text.size());
  return text.c_str(); // up to the first zero
}

/// Intel's manual, volume 2, CPUID: the extended fields count for families 6 and 15.
std::string signature() {
  const unsigned eax = cpuid(1)[0];
  const unsigned base_family = eax >> 8U & 0xfU;
  const unsigned family = base_family == 15 ? base_family + (eax >> 20U & 0xffU) : base_family;
  const unsigned extended = base_family == 6 || base_family == 15 ? eax >> 16U & 0xfU : 0;
  return fmt::format("{}-{}-{}", family, (eax >> 4U & 0xfU) + (extended << 4U), eax & 0xfU);
}

std::string brand() {
  if (cpuid(0x80000000U)[0] < 0x80000004U)
    return "";
  std::string text;
  for (unsigned leaf = 0x80000002U; leaf <= 0x80000004U; ++leaf) {
    const Registers r = cpuid(leaf);
    text += characters(r.data(), r.size());
  }
  const size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? ""
                                    : text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

} // namespace

std::string cpu_model() {
  const Registers zero = cpuid(0);
  const std::array<unsigned, 3> vendor{zero[1], zero[3], zero[2]}; // spelled in this order
  return fmt::format("{} {} {}", characters(vendor.data(), vendor.size()), signature(), brand());
}

} // namespace sinter
