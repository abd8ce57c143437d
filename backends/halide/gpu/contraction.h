// Sums of products on a device.
#pragma once

#include "ir/kernel_builder.h"

namespace sinter {

/// A thread has the sums of a tile of elements in registers: what it reads for one of them it uses
/// for a row or a column. The stage has two dimensions or more.
void schedule_tile_sums(const Stage &);

} // namespace sinter
