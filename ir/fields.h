// Names the fields of a struct once, for everything that goes over them: printing, parsing and
// equality.
#pragma once

// SINTER_FIELDS(SliceAttrs, begin, end, step) inside the struct defines
//   template <typename F> static void fields(F &&f)
// which calls f("begin", &SliceAttrs::begin) and so on, in this order; up to 16 fields.
#define SINTER_FIELDS(S, ...)                                                                      \
  template <typename F> static void fields(F &&f) { SINTER_EACH(S, __VA_ARGS__) }

// The same in a struct that extends another one: Base's fields come first.
#define SINTER_MORE_FIELDS(S, Base, ...)                                                           \
  template <typename F> static void fields(F &&f) {                                                \
    Base::fields(f);                                                                               \
    SINTER_EACH(S, __VA_ARGS__)                                                                    \
  }

#define SINTER_EACH(S, ...)                                                                        \
  SINTER_SEVENTEENTH(__VA_ARGS__, SINTER_16, SINTER_15, SINTER_14, SINTER_13, SINTER_12,           \
                     SINTER_11, SINTER_10, SINTER_9, SINTER_8, SINTER_7, SINTER_6, SINTER_5,       \
                     SINTER_4, SINTER_3, SINTER_2, SINTER_1, 0)                                    \
  (S, __VA_ARGS__)
#define SINTER_SEVENTEENTH(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, seventeenth, ...)       \
  seventeenth
#define SINTER_1(S, field) f(#field, &S::field);
#define SINTER_2(S, field, ...) SINTER_1(S, field) SINTER_1(S, __VA_ARGS__)
#define SINTER_3(S, field, ...) SINTER_1(S, field) SINTER_2(S, __VA_ARGS__)
#define SINTER_4(S, field, ...) SINTER_1(S, field) SINTER_3(S, __VA_ARGS__)
#define SINTER_5(S, field, ...) SINTER_1(S, field) SINTER_4(S, __VA_ARGS__)
#define SINTER_6(S, field, ...) SINTER_1(S, field) SINTER_5(S, __VA_ARGS__)
#define SINTER_7(S, field, ...) SINTER_1(S, field) SINTER_6(S, __VA_ARGS__)
#define SINTER_8(S, field, ...) SINTER_1(S, field) SINTER_7(S, __VA_ARGS__)
#define SINTER_9(S, field, ...) SINTER_1(S, field) SINTER_8(S, __VA_ARGS__)
#define SINTER_10(S, field, ...) SINTER_1(S, field) SINTER_9(S, __VA_ARGS__)
#define SINTER_11(S, field, ...) SINTER_1(S, field) SINTER_10(S, __VA_ARGS__)
#define SINTER_12(S, field, ...) SINTER_1(S, field) SINTER_11(S, __VA_ARGS__)
#define SINTER_13(S, field, ...) SINTER_1(S, field) SINTER_12(S, __VA_ARGS__)
#define SINTER_14(S, field, ...) SINTER_1(S, field) SINTER_13(S, __VA_ARGS__)
#define SINTER_15(S, field, ...) SINTER_1(S, field) SINTER_14(S, __VA_ARGS__)
#define SINTER_16(S, field, ...) SINTER_1(S, field) SINTER_15(S, __VA_ARGS__)
