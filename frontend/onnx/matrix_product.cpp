#include "frontend/onnx/matrix_product.h"

#include "frontend/onnx/building.h"

#include <algorithm>

namespace sinter {

namespace {

/// The letters of "bij,bjk->bik": operands and result; digits stand for the dimensions of "...".
struct Equation {
  std::vector<std::string> operands;
  std::string result;
};

std::string without_spaces(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

/// Spells an ellipsis out: the digits that end with '9', one for each dimension it stands for.
void spell_ellipsis(const OperatorContext &c, std::string &term, int64_t dimensions) {
  const size_t at = term.find("...");
  if (at == std::string::npos)
    return;
  c.require(dimensions >= 0 && dimensions <= 10, "has an ellipsis of {} dimensions", dimensions);
  const std::string digits = "0123456789";
  term.replace(at, 3, digits.substr(digits.size() - static_cast<size_t>(dimensions)));
}

Equation parse_equation(const OperatorContext &c) {
  std::string left = without_spaces(c.text("equation", ""));
  const size_t arrow = left.find("->");
  const bool explicit_result = arrow != std::string::npos;
  Equation equation;
  if (explicit_result) {
    equation.result = left.substr(arrow + 2);
    left.resize(arrow);
  }
  int64_t broadcast = 0;
  for (size_t begin = 0; begin <= left.size();) {
    const size_t end = std::min(left.find(',', begin), left.size());
    std::string term = left.substr(begin, end - begin);
    const size_t i = equation.operands.size();
    c.require(i < c.operand_count(), "has the equation '{}' for {} operands",
              c.text("equation", ""), c.operand_count());
    const bool ellipsis = term.find("...") != std::string::npos;
    const int64_t dimensions =
        static_cast<int64_t>(c.rank(i)) - static_cast<int64_t>(term.size()) + (ellipsis ? 3 : 0);
    broadcast = std::max(broadcast, ellipsis ? dimensions : 0);
    spell_ellipsis(c, term, dimensions);
    c.require(static_cast<int>(term.size()) == c.rank(i), "names {} dimensions of operand {} {}",
              term.size(), i, str(c.shape(i)));
    equation.operands.push_back(term);
    begin = end + 1;
  }
  if (!explicit_result) { // the letters that stand once, in the order of the alphabet
    std::string all;
    for (const std::string &term : equation.operands)
      all += term;
    for (char letter : all)
      if (std::count(all.begin(), all.end(), letter) == 1 || letter <= '9')
        if (equation.result.find(letter) == std::string::npos)
          equation.result += letter;
    std::sort(equation.result.begin(), equation.result.end());
  }
  spell_ellipsis(c, equation.result, broadcast);
  return equation;
}

bool contains(const std::string &text, char letter) {
  return text.find(letter) != std::string::npos;
}

/// A dimension that a term names twice becomes its diagonal: the element of the second that has the
/// position in the first is picked by a mask.
NodeId take_diagonals(OperatorContext &c, NodeId x, std::string &term) {
  for (size_t i = 0; i < term.size(); ++i) {
    const size_t j = term.find(term[i], i + 1);
    if (j == std::string::npos)
      continue;
    const int64_t extent = c.shape_of(x)[i];
    c.require(extent != kBatch && extent == c.shape_of(x)[j] && extent * extent <= kLongestTable,
              "takes the diagonal of {}", str(c.shape_of(x)));
    std::vector<int64_t> ones;
    for (int64_t k = 0; k < extent * extent; ++k)
      ones.push_back(k / extent == k % extent);
    Shape shape(c.shape_of(x).size(), 1);
    shape[i] = shape[j] = extent;
    const NodeId mask =
        c.constant_node(HostTensor::of_integers(shape, std::move(ones), DataType::boolean));
    const NodeId kept = c.append(OpKind::select, {mask, x, c.scalar(0)});
    x = c.append(OpKind::reduce_sum, {kept}, ReduceAttrs{{static_cast<int64_t>(j)}, false});
    term.erase(j, 1);
    --i; // the same letter may stand a third time
  }
  return x;
}

/// Sums over what neither the result nor the other operand names.
NodeId sum_alone(OperatorContext &c, NodeId x, std::string &term, const std::string &needed) {
  ReduceAttrs over{{}, /*keep_dims=*/false};
  std::string kept;
  for (size_t i = 0; i < term.size(); ++i)
    if (contains(needed, term[i]))
      kept += term[i];
    else
      over.axes.push_back(static_cast<int64_t>(i));
  term = kept;
  return over.axes.empty() ? x : c.append(OpKind::reduce_sum, {x}, over);
}

/// Dimensions from the order of one term to that of another with the same letters.
NodeId reorder(OperatorContext &c, NodeId x, const std::string &from, const std::string &to) {
  std::vector<int64_t> permutation;
  for (char letter : to) {
    c.require(contains(from, letter), "has the unknown dimension '{}' in its result", letter);
    permutation.push_back(static_cast<int64_t>(from.find(letter)));
  }
  return c.transpose(x, permutation);
}

/// The product of two terms as a stack of matrices [shared..., own of a, k] [shared..., k, own of
/// b], each group of dimensions joined to one.
NodeId contract(OperatorContext &c, NodeId a, NodeId b, const Equation &equation) {
  const std::string &term_a = equation.operands[0];
  const std::string &term_b = equation.operands[1];
  std::string shared, summed, own_a, own_b;
  for (char letter : term_a)
    (!contains(term_b, letter)           ? own_a
     : contains(equation.result, letter) ? shared
                                         : summed) += letter;
  for (char letter : term_b)
    if (!contains(term_a, letter))
      own_b += letter;
  const NodeId left = reorder(c, a, term_a, shared + own_a + summed);
  const NodeId right = reorder(c, b, term_b, shared + summed + own_b);
  const Shape l = c.shape_of(left);
  const Shape r = c.shape_of(right);
  const size_t s = shared.size();
  const int64_t m = extent_product_between(l, s, s + own_a.size());
  const int64_t k = extent_product_between(r, s, s + summed.size());
  const int64_t n = extent_product_between(r, s + summed.size(), r.size());
  Shape leading(l.begin(), l.begin() + static_cast<std::ptrdiff_t>(s));
  Shape matrix_a = leading, matrix_b = leading, result = leading;
  matrix_a.insert(matrix_a.end(), {m, k});
  matrix_b.insert(matrix_b.end(), {k, n});
  result.insert(result.end(), l.begin() + static_cast<std::ptrdiff_t>(s),
                l.begin() + static_cast<std::ptrdiff_t>(s + own_a.size()));
  result.insert(result.end(), r.begin() + static_cast<std::ptrdiff_t>(s + summed.size()), r.end());
  const NodeId product = matrix_product(c, c.reshape(left, matrix_a), c.reshape(right, matrix_b));
  return reorder(c, c.reshape(product, result), shared + own_a + own_b, equation.result);
}

} // namespace

NodeId matrix_product(OperatorContext &c, NodeId a, NodeId b) {
  const Shape left = c.shape_of(a);
  const Shape right = c.shape_of(b);
  c.require(left.back() == right[right.size() - std::min<size_t>(right.size(), 2)],
            "cannot multiply {} and {}", str(left), str(right));
  Composer composer = c.composer();
  return compose::matmul(composer, a, b);
}

void import_einsum(OperatorContext &c) {
  c.require(c.operand_count() >= 1 && c.operand_count() <= 2,
            "has {} operands, 1 or 2 are supported", c.operand_count());
  Equation equation = parse_equation(c);
  const size_t count = equation.operands.size();
  c.require(count == c.operand_count(), "has {} terms for {} operands", count, c.operand_count());
  std::vector<NodeId> terms;
  for (size_t i = 0; i < count; ++i) {
    const NodeId x = take_diagonals(c, c.real_tensor(i), equation.operands[i]);
    terms.push_back(x);
  }
  for (size_t i = 0; i < count; ++i) {
    const std::string other = count == 2 ? equation.operands[1 - i] : "";
    terms[i] = sum_alone(c, terms[i], equation.operands[i], equation.result + other);
  }
  c.result(count == 1 ? reorder(c, terms[0], equation.operands[0], equation.result)
                      : contract(c, terms[0], terms[1], equation));
}

} // namespace sinter
