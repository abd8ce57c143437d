#!/bin/sh
# The commands that become the built program: arguments, output and exit code pass straight through,
# with the cache and without it.
sinter=$1
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 2
XDG_CACHE_HOME=$folder/cache && export XDG_CACHE_HOME
failures=0

cat >net.py <<'END'
from tensorflow import keras
model = keras.Sequential([
    keras.layers.Input(shape=(4, 4, 1)),
    keras.layers.Flatten(),
    keras.layers.Dense(3, activation='softmax'),
])
model.compile(optimizer='sgd', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
END

# expect CODE COMMAND...: and what it printed is in $folder/out and $folder/err.
expect() {
  expected=$1
  shift
  "$@" >"$folder/out" 2>"$folder/err"
  code=$?
  if [ "$code" -ne "$expected" ]; then
    echo "expected exit code $expected, got $code: $*"
    cat "$folder/err"
    failures=$((failures + 1))
  fi
}

# shows FILE TEXT
shows() {
  grep -qF -- "$2" "$folder/$1" || {
    echo "not in $1: $2"
    cat "$folder/$1"
    failures=$((failures + 1))
  }
}

expect 0 "$sinter" bench net.py --batch=2 --json
shows out '"kernels"'
[ "$(sed -E 's/.*"peak_bytes":([0-9]+).*/\1/' out)" -lt 30000000 ] || {
  echo "the program's memory is the compiler's: $(cat out)"
  failures=$((failures + 1))
}
[ "$(ls cache/sinter/programs | wc -l)" -eq 1 ] || failures=$((failures + 1))
before=$(ls -l --time-style=full-iso cache/sinter/programs/*/net)
expect 0 "$sinter" bench net.py --batch=3 --json
[ "$before" = "$(ls -l --time-style=full-iso cache/sinter/programs/*/net)" ] || {
  echo "the cached program was built again"
  failures=$((failures + 1))
}

# What info says that a batch needs is what a process takes, but for its code and kernels' scratch.
cat >wide.py <<'END'
from tensorflow import keras
model = keras.Sequential([keras.layers.Input(shape=(32, 32, 8))] + [
    keras.layers.Conv2D(48, 3, padding='same', activation='relu') for _ in range(6)
] + [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(5, activation='softmax')])
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy')
END
expect 0 "$sinter" compile wide.py --target=host -o wide
expect 0 ./wide info --json
told=$(sed -E 's/.*"training":\{"bytes":([0-9]+).*/\1/' out)
expect 0 ./wide bench --train --time=0.1 --json
taken=$(sed -E 's/.*"peak_bytes":([0-9]+).*/\1/' out)
[ "$told" -gt 40000000 ] && [ "$taken" -gt "$told" ] &&
  [ "$taken" -lt $((told + told / 8 + 10000000)) ] || {
  echo "info tells of $told bytes, and the program takes $taken"
  failures=$((failures + 1))
}

# A program is linked with the runtime, so another runtime makes another program.
mkdir runtime && cp "$(dirname "$sinter")/../lib/libsinter_core.a" \
  "$(dirname "$sinter")/../lib/libsinter_program.a" runtime
echo 'int added_here;' | cc -c -x c - -o added.o && ar r runtime/libsinter_core.a added.o
expect 0 env SINTER_RUNTIME="$folder/runtime" "$sinter" bench net.py --batch=2 --json
[ "$(ls cache/sinter/programs | wc -l)" -eq 2 ] || {
  echo "a program linked with another runtime was run"
  failures=$((failures + 1))
}
expect 0 "$sinter" bench net.py --cache=off --batch=2 --json
expect 0 "$sinter" bench net.py --cache=/proc/nowhere --batch=2 --json
expect 2 "$sinter" bench net.py --no-such-option

# What a program trained holds its model: nothing else is needed to export it or to go on.
mkdir data
for part in train t10k; do
  { printf '\0\0\010\003\0\0\0\010\0\0\0\004\0\0\0\004' && yes abcdefgh | head -c 128; } \
    >data/$part-images-idx3-ubyte
  printf '\0\0\010\001\0\0\0\010\0\001\002\0\001\002\0\001' >data/$part-labels-idx1-ubyte
done
expect 0 "$sinter" train net.py --data=data --epochs=1 --checkpoint=run.safetensors
expect 0 "$sinter" inspect run.safetensors
shows out 'flatten (Flatten)'
expect 0 "$sinter" export run.safetensors -o run.onnx
expect 0 "$sinter" export run.safetensors -o run.weights.h5
expect 0 "$sinter" inspect run.onnx
shows out 'dense/kernel'
expect 0 "$sinter" evaluate run.safetensors --data=data
cp out before.out
expect 0 "$sinter" evaluate net.py --data=data --weights=run.weights.h5
cmp out before.out || failures=$((failures + 1))
expect 1 "$sinter" train net.py --data="$folder/nowhere"
expect 1 "$sinter" predict net.py "$folder/nowhere.png"
expect 1 "$sinter" train missing.py
expect 2 "$sinter" train
exit $((failures > 0))
