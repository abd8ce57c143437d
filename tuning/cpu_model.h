// Which processor this is, as entries of the tuning database name it.
#pragma once

#include <string>

namespace sinter {

/// "GenuineIntel 6-143-8 Intel(R) Xeon(R) Platinum 8480+": vendor, family, model and stepping,
/// name.
std::string cpu_model();

} // namespace sinter
