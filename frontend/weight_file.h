// The formats behind load_weights.
#pragma once

#include "frontend/weights.h"
#include "ir/source_location.h"

#include <string_view>

namespace sinter {

/// One array of a file. What cannot be read (text, complex numbers) has a problem instead of
/// values: it matters only when the model needs it.
struct NamedArray {
  std::string name;
  std::string type; // of the stored numbers: "f32"
  WeightArray array;
  std::string problem;
};

/// How a number is stored, little-endian.
enum class NumberFormat { f16, bf16, f32, f64, i8, u8, i16, u16, i32, u32, i64, u64 };
int64_t byte_size(NumberFormat);
const char *name(NumberFormat);
/// NumPy's code of a type, without its byte order: "f4".
std::optional<NumberFormat> numpy_format(std::string_view code);
std::vector<float> to_floats(std::string_view bytes, NumberFormat);

/// Values that were stored with the first index fastest.
std::vector<float> from_column_major(const std::vector<float> &stored, const Shape &shape);

/// Elements of a shape; nothing when they are more than a tensor may have.
std::optional<int64_t> extent_product(const Shape &);

/// Everything that a file of weights holds, as it is stored; see load_weights for what is read.
std::vector<NamedArray> read_weight_arrays(const std::string &path);

/// The arrays of an .npz archive, in the order of its directory.
std::vector<NamedArray> read_npz(const SourceLocation &file);
/// One .npy image; one of more elements has a problem instead of values.
NamedArray parse_npy(const std::string &name, std::string_view bytes,
                     int64_t most_elements = kMaxElements);
/// The arrays of a PyTorch checkpoint or a pickled dict of NumPy arrays.
std::vector<NamedArray> read_pickle(const SourceLocation &file);
/// The tensors of a .safetensors file, by name.
std::vector<NamedArray> read_safetensors(const SourceLocation &file);
/// The IR's text of the model whose program wrote the file, if one did.
std::optional<std::string> safetensors_model(const SourceLocation &file);

} // namespace sinter
