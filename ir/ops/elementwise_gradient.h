// The gradient rules of ir/ops/elementwise.cpp. Private to ir/ops/.
#pragma once

namespace sinter {

class GradientBuilder;

void differentiate_add(GradientBuilder &);
void differentiate_subtract(GradientBuilder &);
void differentiate_multiply(GradientBuilder &);
void differentiate_divide(GradientBuilder &);
void differentiate_maximum(GradientBuilder &);
void differentiate_minimum(GradientBuilder &);
void differentiate_bias_add(GradientBuilder &);
void differentiate_affine(GradientBuilder &);
void differentiate_negate(GradientBuilder &);
void differentiate_square(GradientBuilder &);
void differentiate_sqrt(GradientBuilder &);
void differentiate_rsqrt(GradientBuilder &);
void differentiate_exp(GradientBuilder &);
void differentiate_log(GradientBuilder &);
void differentiate_abs(GradientBuilder &);
void differentiate_relu(GradientBuilder &);
void differentiate_tanh(GradientBuilder &);
void differentiate_sigmoid(GradientBuilder &);

} // namespace sinter
