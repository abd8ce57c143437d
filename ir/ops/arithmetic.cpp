// Arithmetic, comparison and choice between elements. Operands broadcast as NumPy does and have
// one element type; a blocked operand meets only operands of its own type and single values,
// because elementwise kernels run over storage. A mask is a u8 of zeros and ones.
//
// Where an operand broadcasts, a gradient rule gives the gradient in the result's shape:
// add_to_input sums it over the broadcast dimensions.

#include "ir/ops/compute.h"
#include "ir/ops/elementwise_records.h"
#include "ir/ops/rules.h"

#include <algorithm>

namespace sinter {

namespace {

/// The common storage block of the result and of the operands that have its shape.
int64_t broadcast_block(const TypeContext &context, const Shape &result) {
  int64_t block = 0;
  for (const TensorType &type : context.operands)
    block = std::max(block, type.block);
  for (const TensorType &type : context.operands) {
    const bool single_value = type.shape.empty();
    require(context, block == 0 || single_value || (type.shape == result && type.block == block),
            "expects equal storage, got {}", operand_types(context));
  }
  return block;
}

/// All operands broadcast together, as an element type.
TensorType broadcast_type(const TypeContext &context, ElementType element) {
  std::optional<Shape> shape = context.operand(0).shape;
  for (size_t i = 1; i < context.operands.size() && shape; ++i)
    shape = broadcast_shapes(*shape, context.operand(i).shape);
  const bool batch_outermost =
      shape && (shape->empty() || std::count(shape->begin() + 1, shape->end(), kBatch) == 0);
  require(context, batch_outermost, "expects shapes that broadcast, got {}",
          operand_shapes(context));
  return {element, *shape, broadcast_block(context, *shape)};
}

/// Operands from `first` on are of one element type.
void require_one_element(const TypeContext &context, size_t first) {
  for (size_t i = first + 1; i < context.operands.size(); ++i)
    require(context, context.operand(i).element == context.operand(first).element,
            "expects operands of one element type, got {}", operand_types(context));
}

TensorType arithmetic_type(const TypeContext &context) {
  require_one_element(context, 0);
  return broadcast_type(context, context.operand(0).element);
}

/// Of functions that only floats have, and that make something else than zero of the zeros in
/// padding lanes.
TensorType plain_f32_arithmetic_type(const TypeContext &context) {
  require_all_plain_f32(context);
  return broadcast_type(context, ElementType::f32);
}

TensorType remainder_type(const TypeContext &context) {
  const TensorType type = arithmetic_type(context);
  require(context, !type.blocked(), "expects row-major storage, got {}", type.str());
  return type;
}

TensorType comparison_type(const TypeContext &context) {
  require_one_element(context, 0);
  return broadcast_type(context, ElementType::u8);
}

TensorType select_type(const TypeContext &context) {
  require_element(context, 0, ElementType::u8);
  require_one_element(context, 1);
  return broadcast_type(context, context.operand(1).element);
}

TensorType bias_add_type(const TypeContext &context) {
  require_all_plain_f32(context);
  const TensorType &x = context.operand(0);
  require(context, x.rank() >= 1 && x.shape.back() != kBatch, "expects x with channels, got {}",
          str(x.shape));
  require_vector(context, 1, x.shape.back(), "a bias");
  return x;
}

/// dy goes to operand `first` where the mask is 1, else to the next one.
void differentiate_choice(GradientBuilder &g, NodeId mask, size_t first) {
  const NodeId zero = scalar_constant(g, 0);
  g.add_to_input(first, g.append(OpKind::select, {mask, g.dy(), zero}));
  g.add_to_input(first + 1, g.append(OpKind::select, {mask, zero, g.dy()}));
}

// da = dy, db = dy
void differentiate_add(GradientBuilder &g) {
  g.add_to_input(0, g.dy());
  g.add_to_input(1, g.dy());
}

// da = dy, db = -dy
void differentiate_subtract(GradientBuilder &g) {
  g.add_to_input(0, g.dy());
  g.add_to_input(1, g.append(OpKind::negate, {g.dy()}));
}

// da = dy * b, db = dy * a
void differentiate_multiply(GradientBuilder &g) {
  g.add_to_input(0, product(g, g.dy(), g.x(1)));
  g.add_to_input(1, product(g, g.dy(), g.x(0)));
}

// da = dy / b, db = -(dy / b) * y
void differentiate_divide(GradientBuilder &g) {
  const NodeId da = quotient(g, g.dy(), g.x(1));
  g.add_to_input(0, da);
  g.add_to_input(1, g.append(OpKind::negate, {product(g, da, g.y())}));
}

// da = dy where a >= b, db = dy elsewhere: at a tie everything goes to a
void differentiate_maximum(GradientBuilder &g) {
  differentiate_choice(g, g.append(OpKind::greater_equal, {g.x(0), g.x(1)}), 0);
}

// da = dy where b >= a, db = dy elsewhere: at a tie everything goes to a
void differentiate_minimum(GradientBuilder &g) {
  differentiate_choice(g, g.append(OpKind::greater_equal, {g.x(1), g.x(0)}), 0);
}

// da = dy * b * a^(b - 1), db = dy * y * log(a). Zero, not 0 * inf, where b = 0 and where a <= 0.
void differentiate_pow(GradientBuilder &g) {
  const NodeId a = g.x(0);
  const NodeId b = g.x(1);
  const NodeId zero = scalar_constant(g, 0);
  const NodeId lower = g.append(OpKind::pow, {a, scaled(g, b, 1, -1)});
  const NodeId slope =
      g.append(OpKind::select, {g.append(OpKind::equal, {b, zero}), zero, product(g, b, lower)});
  g.add_to_input(0, product(g, g.dy(), slope));
  const NodeId positive = g.append(OpKind::greater, {a, zero});
  const NodeId safe = g.append(OpKind::select, {positive, a, scalar_constant(g, 1)});
  const NodeId growth = product(g, g.y(), g.append(OpKind::log, {safe}));
  g.add_to_input(1, product(g, g.dy(), g.append(OpKind::select, {positive, growth, zero})));
}

// da = dy, db = -dy * times, with y = a - times * b
void differentiate_remainder(GradientBuilder &g, NodeId times) {
  g.add_to_input(0, g.dy());
  g.add_to_input(1, g.append(OpKind::negate, {product(g, g.dy(), times)}));
}

// times = floor(a / b)
void differentiate_mod(GradientBuilder &g) {
  differentiate_remainder(g, g.append(OpKind::floor, {quotient(g, g.x(0), g.x(1))}));
}

// times = (a - y) / b, which is whole
void differentiate_fmod(GradientBuilder &g) {
  const NodeId multiple = g.append(OpKind::subtract, {g.x(0), g.y()});
  differentiate_remainder(g, quotient(g, multiple, g.x(1)));
}

// da = dy where the mask is 1, db = dy elsewhere
void differentiate_select(GradientBuilder &g) { differentiate_choice(g, g.x(0), 1); }

// dx = dy, dbias = sum of dy over all but the last dimension
void differentiate_bias_add(GradientBuilder &g) { differentiate_add(g); }

constexpr ElementwiseFamily arithmetic{2, arithmetic_type};
constexpr ElementwiseFamily plain_arithmetic{2, plain_f32_arithmetic_type};
constexpr ElementwiseFamily remainder{2, remainder_type};
constexpr ElementwiseFamily comparison{2, comparison_type};

} // namespace

const OpDef ops::add =
    arithmetic("a + b, broadcasting as NumPy does", SINTER_BINARY_EXAMPLE("add", "f32"),
               {&Traits::commutative, &Traits::plain}, differentiate_add, compute_add);

const OpDef ops::subtract = arithmetic("a - b, broadcasting as NumPy does",
                                       R"(%0 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="b", type=f32[5]} : f32[5]
%2 = subtract %0, %1 : f32[N,4,5])",
                                       {&Traits::plain}, differentiate_subtract, compute_subtract);

const OpDef ops::multiply = arithmetic(
    "a * b, broadcasting as NumPy does", R"(%0 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="b", type=f32[4,1]} : f32[4,1]
%2 = multiply %0, %1 : f32[N,4,5])",
    {&Traits::commutative, &Traits::plain}, differentiate_multiply, compute_multiply);

const OpDef ops::divide = arithmetic("a / b, broadcasting as NumPy does; of integers, towards zero",
                                     R"(%0 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="b", type=f32[N,4,5]} : f32[N,4,5]
%2 = exp %1 : f32[N,4,5]
%3 = divide %0, %2 : f32[N,4,5])",
                                     {&Traits::costly}, differentiate_divide, compute_divide);

const OpDef ops::maximum = arithmetic(
    "the larger of a and b, a NaN if either is one", SINTER_BINARY_EXAMPLE("maximum", "f32"),
    {&Traits::commutative}, differentiate_maximum, compute_maximum);

const OpDef ops::minimum = arithmetic(
    "the smaller of a and b, a NaN if either is one", SINTER_BINARY_EXAMPLE("minimum", "f32"),
    {&Traits::commutative}, differentiate_minimum, compute_minimum);

const OpDef ops::pow =
    plain_arithmetic("a to the power b", R"(%0 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="b", type=f32[N,4,5]} : f32[N,4,5]
%2 = exp %0 : f32[N,4,5]
%3 = pow %2, %1 : f32[N,4,5])",
                     {&Traits::costly}, differentiate_pow, compute_pow, result_cost<20>);

const OpDef ops::mod =
    remainder("a - floor(a / b) * b: has the sign of b, as in Python",
              R"(%0 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="b", type=f32[N,4,5]} : f32[N,4,5]
%2 = abs %1 : f32[N,4,5]
%3 = affine %2 {offset=0.3} : f32[N,4,5]
%4 = mod %0, %3 : f32[N,4,5])",
              {&Traits::costly}, differentiate_mod, compute_mod, result_cost<20>);

const OpDef ops::fmod =
    remainder("a - trunc(a / b) * b: has the sign of a, as in C",
              R"(%0 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="b", type=f32[N,4,5]} : f32[N,4,5]
%2 = abs %1 : f32[N,4,5]
%3 = affine %2 {offset=0.3} : f32[N,4,5]
%4 = fmod %0, %3 : f32[N,4,5])",
              {&Traits::costly}, differentiate_fmod, compute_fmod, result_cost<20>);

const OpDef ops::equal =
    comparison("the mask of a == b", SINTER_BINARY_EXAMPLE("equal", "u8"),
               {&Traits::commutative, &Traits::metric}, nullptr, compute_equal);

const OpDef ops::greater = comparison("the mask of a > b", SINTER_BINARY_EXAMPLE("greater", "u8"),
                                      {&Traits::metric}, nullptr, compute_greater);

const OpDef ops::greater_equal =
    comparison("the mask of a >= b", SINTER_BINARY_EXAMPLE("greater_equal", "u8"),
               {&Traits::metric}, nullptr, compute_greater_equal);

const OpDef ops::select = ElementwiseFamily{3, select_type}(
    "a where the mask is 1, else b; all three broadcast as NumPy does",
    R"(%0 = input {name="mask", role="label", type=u8[N,4,5]} : u8[N,4,5]
%1 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%2 = input {name="b", type=f32[4,1]} : f32[4,1]
%3 = select %0, %1, %2 : f32[N,4,5])",
    {&Traits::plain}, differentiate_select, compute_select);

const OpDef ops::bias_add = ElementwiseFamily{2, bias_add_type}(
    "x + bias, along the last dimension", R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = parameter {name="bias", type=f32[5]} : f32[5]
%2 = bias_add %0, %1 : f32[N,4,5])",
    {&Traits::plain, &Traits::by_channel}, differentiate_bias_add, compute_bias_add);

} // namespace sinter
