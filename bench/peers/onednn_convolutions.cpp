// Times oneDNN's convolutions: for each line
//   N H W C  OH OW O  KH KW  SH SW  PT PL PB PR  GROUPS
// of standard input prints the median milliseconds of the fastest of its algorithms, with bias and
// operands in the layouts that it chooses itself, and that implementation's name.
#include <algorithm>
#include <chrono>
#include <dnnl.hpp>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

namespace {

using dnnl::memory;
using Clock = std::chrono::steady_clock;

struct Shape {
  memory::dim n, h, w, c, oh, ow, o, kh, kw, sh, sw, pt, pl, pb, pr, groups;
};

std::istream &operator>>(std::istream &in, Shape &s) {
  for (memory::dim *field : {&s.n, &s.h, &s.w, &s.c, &s.oh, &s.ow, &s.o, &s.kh, &s.kw, &s.sh, &s.sw,
                             &s.pt, &s.pl, &s.pb, &s.pr, &s.groups})
    in >> *field;
  return in;
}

memory::desc any_layout(const memory::dims &dims) {
  return {dims, memory::data_type::f32, memory::format_tag::any};
}

double median_ms(const dnnl::convolution_forward::primitive_desc &description,
                 const dnnl::engine &engine) {
  dnnl::stream stream(engine);
  std::vector<memory> operands;
  for (const memory::desc &desc : {description.src_desc(), description.weights_desc(),
                                   description.bias_desc(), description.dst_desc()}) {
    operands.emplace_back(desc, engine);
    auto *values = static_cast<float *>(operands.back().get_data_handle());
    std::fill_n(values, desc.get_size() / sizeof(float), 0.5F);
  }
  dnnl::convolution_forward primitive(description);
  std::vector<double> times;
  const Clock::time_point end = Clock::now() + std::chrono::milliseconds(200);
  while (times.size() < 5 || Clock::now() < end) {
    const Clock::time_point begin = Clock::now();
    primitive.execute(stream, {{DNNL_ARG_SRC, operands[0]},
                               {DNNL_ARG_WEIGHTS, operands[1]},
                               {DNNL_ARG_BIAS, operands[2]},
                               {DNNL_ARG_DST, operands[3]}});
    stream.wait();
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::nth_element(times.begin(), times.begin() + static_cast<long>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

/// Nothing where oneDNN has no such algorithm for the shape.
std::optional<dnnl::convolution_forward::primitive_desc>
describe(const Shape &s, dnnl::algorithm algorithm, const dnnl::engine &engine) {
  const memory::dims filter =
      s.groups > 1 ? memory::dims{s.groups, s.o / s.groups, s.c / s.groups, s.kh, s.kw}
                   : memory::dims{s.o, s.c, s.kh, s.kw};
  try {
    const dnnl::convolution_forward::desc desc(
        dnnl::prop_kind::forward_inference, algorithm, any_layout({s.n, s.c, s.h, s.w}),
        any_layout(filter), any_layout({s.o}), any_layout({s.n, s.o, s.oh, s.ow}), {s.sh, s.sw},
        {s.pt, s.pl}, {s.pb, s.pr});
    return dnnl::convolution_forward::primitive_desc(desc, engine);
  } catch (const dnnl::error &) {
    return std::nullopt;
  }
}

} // namespace

int main() {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  for (Shape shape{}; std::cin >> shape;) {
    double best = 0;
    std::string name = "none";
    for (const dnnl::algorithm algorithm :
         {dnnl::algorithm::convolution_direct, dnnl::algorithm::convolution_winograd})
      if (const auto description = describe(shape, algorithm, engine)) {
        const double ms = median_ms(*description, engine);
        if (name == "none" || ms < best) {
          best = ms;
          name = description->impl_info_str();
        }
      }
    std::cout << best << ' ' << name << std::endl;
  }
}
