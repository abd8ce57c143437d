// A data set's array as the script sees it: its shape is known, its contents are not. What the
// script does with it is recorded, to be done by the program.
#pragma once

#include "frontend/value.h"
#include "ir/model.h"
#include "ir/type.h"

#include <optional>

namespace sinter {

class Interpreter;

/// A recorded step and the place that asked for it.
template <typename Step> struct Recorded {
  Step step;
  SourceLocation location;
};

/// Of every data set there is.
constexpr int64_t kClasses = 10;

struct DataArray {
  bool labels = false;
  std::string dataset; // "fashion_mnist"
  std::string source;  // "train", "test"
  Shape shape;         // the number of samples first
  bool integers = true;
  std::vector<Recorded<ScalingStep>> scaling;
  std::vector<Recorded<SubsetStep>> subset;
  int64_t one_hot = 0;
  SourceLocation location; // where it got its present form

  /// "images (60000, 28, 28)"
  std::string str() const;
  Shape sample_shape() const { return {shape.begin() + 1, shape.end()}; }
  SourceLocation scaled_at() const { return scaling.empty() ? location : scaling.back().location; }
};

/// "(60000, 28, 28)", as Python prints a shape.
std::string shape_text(const Shape &);

/// Both arrays hold the same samples in the same order. Two shuffled splits without a random
/// state are the same only when one call made both.
bool same_samples(const DataArray &, const DataArray &);

/// x / 255.0 and the like; Opaque where the result cannot be recorded.
Value array_arithmetic(Interpreter &, const std::string &op, const Value &left, const Value &right,
                       const SourceLocation &);
/// x[:5000], x[..., np.newaxis], x[0].
Value array_subscript(Interpreter &, const DataArray &, const Value &index, const SourceLocation &);
/// x.shape, x.ndim, x.size; nothing for another name.
std::optional<Value> array_attribute(Interpreter &, const DataArray &, const std::string &name);
/// The array with other dimensions after (or, for labels, instead of) the first.
Value reshape_array(Interpreter &, const DataArray &, const std::vector<Value> &dims,
                    const SourceLocation &);
/// Only some of the samples; `count` remain.
Value pick_samples(Interpreter &, const DataArray &, const SubsetStep &, int64_t count,
                   const SourceLocation &);

} // namespace sinter
