#!/bin/sh
# usage: device_programs.sh SINTER SOURCES: whole programs on a device give the processor's results,
# say where they run, and fall back on the processor when they may; what devices cannot do is refused.
sinter=$1
examples=$2/examples
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 2
failures=0

# expect CODE COMMAND...: and what it printed is in ./out and ./err.
expect() {
  expected=$1
  shift
  "$@" >out 2>err
  code=$?
  if [ "$code" -ne "$expected" ]; then
    echo "expected exit code $expected, got $code: $*"
    cat out err
    failures=$((failures + 1))
  fi
}

# shows FILE TEXT
shows() {
  grep -qF -- "$2" "$1" || {
    echo "not in $1: $2"
    cat "$1"
    failures=$((failures + 1))
  }
}

expect 1 "$sinter" compile "$examples/fashion_cnn.py" -o cnn --target=opencl --precision=bf16
shows err 'bf16 is not supported yet'
expect 1 "$sinter" verify "$examples/tiny_cnn.py" --target=opencl
shows err "cannot be verified yet"
expect 1 "$sinter" tune "$examples/tiny_cnn.py" --target=opencl --database=none.json
shows err "cannot be tuned yet"
expect 1 "$sinter" compile "$examples/tiny_cnn.py" -o cnn --target=host,cuda
shows err "not supported yet"
expect 1 "$sinter" compile "$examples/tiny_cnn.py" -o cnn --target=x86-64-linux-cuda_capability_70
shows err "asks for a GPU"
expect 1 "$sinter" compile "$examples/tiny_cnn.py" -o cnn --target=opencl,host
shows err "expects a device, opencl, last"

expect 0 "$sinter" compile "$examples/fashion_cnn.py" -o cnn --target=host,opencl --no-train
expect 0 env SINTER_VARIANT= OCL_ICD_VENDORS=/nonexistent ./cnn info
shows out "device:     none: OpenCL knows no device here"
expect 0 env OCL_ICD_VENDORS=/nonexistent ./cnn run --input=random:1:5x28x28x1 --output=@cpu.npy
shows err "note: OpenCL knows no device here: running on the processor"
expect 0 "$sinter" compile "$examples/fashion_cnn.py" -o device --target=opencl --no-train
expect 1 env OCL_ICD_VENDORS=/nonexistent ./device run --input=random:1:5x28x28x1
shows err "OpenCL knows no device here"

./cnn info >out 2>&1
grep -q "opencl (this machine's)" out || {
  [ "$failures" -eq 0 ] || exit 1
  echo "skipped: there is no OpenCL device here"
  exit 0
}
expect 0 ./cnn run --input=random:1:5x28x28x1 --expected=@cpu.npy --rtol=1e-4 --atol=1e-6
expect 0 ./device run --input=random:1:5x28x28x1 --expected=@cpu.npy --rtol=1e-4 --atol=1e-6
expect 0 ./device run --input=random:1:70x28x28x1 --output=@many.npy # several calls, the last one smaller
expect 0 env SINTER_VARIANT=opencl ./cnn bench --batch=2 --time=0.01
shows out "opencl"

# As a library.
expect 0 "$sinter" compile "$examples/tiny_cnn.py" -o tiny --emit=lib --target=opencl
cat >main.c <<'END'
#include "tiny.h"
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  static float x[2 * TINY_INPUT_ELEMENTS], y[2 * TINY_OUTPUT_ELEMENTS];
  const size_t bytes = tiny_context_bytes(2, TINY_INFER);
  tiny_context *context;
  if (tiny_create(aligned_alloc(TINY_ALIGNMENT, bytes), bytes, 2, TINY_INFER, 1, 7, &context)) {
    puts(tiny_last_error());
    return 1;
  }
  if (tiny_infer(context, x, 2, y) || tiny_infer(context, x, 1, y)) {
    puts(tiny_last_error());
    return 1;
  }
  puts(tiny_variant(context));
  tiny_destroy(context);
  return 0;
}
END
expect 0 cc -std=c11 main.c libtiny.a -lm -lpthread -ldl -o main
expect 0 ./main
shows out opencl

[ "$failures" -eq 0 ]
