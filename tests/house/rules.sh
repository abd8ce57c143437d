#!/bin/sh
# The house rules that a compiler does not enforce, checked over the source tree at $1:
#   layers      a folder includes only what lies below it
#   libraries   Halide.h and LLVM's headers stay where they belong
#   length      no source file is longer than 600 lines
#   ops         outside ir/ nothing switches on an op's kind: ask its traits or its record
#   exits       below tools/ errors are thrown or returned; nothing prints or exits
# Prints every violation as file:line: text and exits with 1 when there is one.
cd "$1" || exit 2
violations=$(mktemp) && trap 'rm -f "$violations"' EXIT

# sources FOLDER...: its C and C++ files; a folder may be missing.
sources() {
  for folder; do
    [ -d "$folder" ] && find "$folder" -name '*.h' -o -name '*.c' -o -name '*.cpp' -o -name '*.def'
  done | sort
}

# forbid RULE PATTERN FILE...: an extended regular expression that no line may match.
forbid() {
  rule=$1 pattern=$2
  shift 2
  [ $# -eq 0 ] || grep -EHn "$pattern" "$@" | sed "s|\$|    [$rule]|" >>"$violations"
}

# may_include FOLDER 'FOLDER|FOLDER': of our own headers, only those folders'.
may_include() {
  # A header of our own is written in quotes, from the root.
  sources "$1" | while read -r file; do
    grep -EHn '^ *# *include "' "$file" | grep -Ev "include \"($2)/" | sed 's|$|    [layers]|'
  done >>"$violations"
}

may_include runtime 'runtime'
may_include ir 'ir'
may_include frontend 'ir|frontend'
may_include passes 'ir|passes'
may_include backends/onnx 'ir|backends/onnx'
may_include backends/halide 'ir|backends/halide'
may_include backends/reference 'ir|backends/reference'
may_include backends/verify 'ir|runtime|backends/halide|backends/reference|backends/verify'
may_include backends/program 'ir|runtime|backends/halide|backends/program'
may_include tuning 'ir|passes|backends|runtime|tuning'
may_include tools 'ir|frontend|passes|backends|runtime|tuning|tools'

forbid libraries 'include (<Halide\.h|"ir/kernel_builder.h")' \
  $(sources frontend passes backends/reference backends/verify backends/program runtime tuning tools)
forbid libraries 'include <Halide\.h' \
  $(sources ir | grep -Ev '^ir/(ops/|kernel_builder)')
forbid libraries 'include [<"](llvm|lld)[/-]' \
  $(sources ir frontend passes backends/halide backends/reference runtime tuning tools |
    grep -v '^backends/halide/machine_code\.cpp')

wc -l $(sources ir frontend passes backends runtime tuning tools tests) /dev/null |
  awk '$2 != "total" && $1 > 600 { print $2 ":" $1 ": longer than 600 lines    [length]" }' >>"$violations"

forbid ops 'case OpKind::' $(sources frontend passes backends runtime tuning tools)
forbid exits '(std::(cerr|cout|exit|abort)|(^|[^_[:alnum:].])(exit|abort|assert)\()' \
  $(sources ir frontend passes backends tuning)

cat "$violations"
[ ! -s "$violations" ]
