#!/bin/sh
# usage: several_tensors.sh SINTER TESTS PICTURE: a model of several inputs, outputs and labels as a
# library that a C99 program links, `run` from and to .npy files, and `predict` where it can.
sinter=$1
picture=$3
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
cp "$2/several_tensors.c" "$folder" && cd "$folder" || exit 2
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

# y = relu(image + shift) * scale; the class of `ids` in one-hot; both losses are squared errors.
cat >pair.sir <<'END'
model "pair" {
  training epochs=1 batch_size=4 shuffle=true
  optimizer {kind="sgd", learning_rate=0.1}
}
%0 = input {name="image", type=f32[N,4]} : f32[N,4]
%1 = input {name="shift", type=f32[4]} : f32[4]
%2 = input {name="ids", type=i32[N]} : i32[N]
%3 = input {name="sum", role="label", type=f32[N,4]} : f32[N,4]
%4 = input {name="hot", role="label", type=f32[N,3]} : f32[N,3]
%5 = parameter {name="scale", initializer="ones", type=f32[4]} : f32[4]
%6 = add %0, %1 : f32[N,4]
%7 = relu %6 : f32[N,4]
%8 = multiply %7, %5 : f32[N,4]
%9 = one_hot %2 {depth=3} : f32[N,3]
%10 = mean_squared_error %8, %3 : f32[N]
%11 = mean_squared_error %9, %4 : f32[N]
%12 = reduce_mean %10 {axes=[0]} : f32[]
%13 = reduce_mean %11 {axes=[0]} : f32[]
%14 = add %12, %13 : f32[]
output "prediction:sum" %8
output "prediction:hot" %9
output "loss" %14
output "sum_loss" %12
output "hot_loss" %13
END

expect 0 "$sinter" compile pair.sir -o pair --emit=lib --target=host
expect 0 gcc -std=c99 -Wall -Wextra -pedantic -Werror -o user several_tensors.c libpair.a -lm -lpthread
expect 0 ./user
shows out 'ok'

run="$sinter run pair.sir"
expect 0 $run --input=ids=2xi32=1 --input=2x4xf32=1 --input=4xf32=-0.25 --output=@sum.npy --output=hot=@hot.npy
expect 0 $run --input=image=2x4xf32=1 --input=shift=4xf32=-0.25 --input=ids=2xi32=1 \
  --expected=hot=@hot.npy --expected=@sum.npy
shows out 'sum: largest absolute error 0'
shows out 'hot: largest absolute error 0'
expect 1 $run --input=2x4xf32=2 --input=4xf32=0 --input=2xi32=1 --expected=@sum.npy --json
shows out '"ok":false'
shows out '"max_abs_error":1.25'
expect 0 $run --input=@sum.npy --input=4xf32=0 --input=2xi32=1 --expected=@sum.npy
expect 1 $run --input=@sum.npy --input=4xf32=0 --input=ids=@sum.npy
shows err 'the input ids has shape [2, 4], but the model needs [n]'
expect 1 $run --input=@sum.npy --input=4xf32=0 --input=3xi32=1
shows err 'the input ids has 3 samples, those before it 2'
expect 2 $run --input=@sum.npy
shows err '--input=shift=... is missing'
expect 2 $run --input=@sum.npy --input=4xf32=0 --input=2xi32=1.5x
expect 1 $run --input=@sum.npy --input=4xf32=0 --input=2xi32=1.5
shows err 'element 0 is 1.5, which is no int32'
expect 0 $run
expect 0 "$sinter" bench pair.sir --train --time=0.01 --json
expect 1 "$sinter" train pair.sir --data="$folder"
shows err 'pair takes 3 inputs (image, shift, ids)'
expect 1 "$sinter" predict pair.sir sum.npy

# Two inputs of one seed hold different numbers: their difference is not zero.
cat >difference.sir <<'END'
%0 = input {name="a", type=f32[N,4]} : f32[N,4]
%1 = input {name="b", type=f32[N,4]} : f32[N,4]
%2 = subtract %0, %1 : f32[N,4]
output "prediction" %2
END
expect 0 "$sinter" run difference.sir --input=4x4xf32=1 --input=4x4xf32=1 --output=@zero.npy
for inputs in '--input=random:7:4x4 --input=random:7:4x4' '--input=a=random:7:4x4 --input=b=random:7:4x4'; do
  expect 1 "$sinter" run difference.sir $inputs --expected=@zero.npy
  shows err '16 of 16 elements differ'
done

# One picture in three layouts: the same numbers. A grey one becomes three equal channels.
cat >last.sir <<'END'
%0 = input {name="x", type=f32[N,4,5,3]} : f32[N,4,5,3]
%1 = reshape %0 {shape=[N,60]} : f32[N,60]
output "prediction" %1
END
cat >first.sir <<'END'
%0 = input {name="x", type=f32[N,3,4,5], channels_first=true} : f32[N,3,4,5]
%1 = transpose %0 {permutation=[0,2,3,1]} : f32[N,4,5,3]
%2 = reshape %1 {shape=[N,60]} : f32[N,60]
output "prediction" %2
END
cat >static.sir <<'END'
%0 = input {name="x", type=f32[1,3,4,5], channels_first=true} : f32[1,3,4,5]
%1 = transpose %0 {permutation=[0,2,3,1]} : f32[1,4,5,3]
%2 = reshape %1 {shape=[60]} : f32[60]
%3 = reduce_max %2 {axes=[0]} : f32[]
output "prediction:all" %2
output "prediction:largest" %3
END
expect 0 "$sinter" predict last.sir "$picture" --top=60
cp out last.out
expect 0 "$sinter" predict first.sir "$picture" --top=60
# The same values, and ties in the same order.
cmp -s out last.out || {
  echo 'channels first and last give other numbers'
  failures=$((failures + 1))
}
expect 0 "$sinter" predict static.sir "$picture" --top=60
grep ' all: ' out | sed 's/ all:/:/' | cmp -s - last.out || {
  echo 'a model without a batch gives other numbers'
  failures=$((failures + 1))
}
shows out ' largest: '

# So do pictures in arrays, whichever extent their channels are.
cat >pictures.sir <<'END'
%0 = input {name="x", type=f32[N,4,5,3]} : f32[N,4,5,3]
%1 = relu %0 : f32[N,4,5,3]
output "prediction" %1
END
expect 0 "$sinter" run pictures.sir --input=random:3:2x4x5x3 --output=@pictures.npy
expect 0 "$sinter" predict last.sir pictures.npy --top=60
cp out last.out
expect 0 "$sinter" predict first.sir pictures.npy --top=60
cmp -s out last.out || {
  echo 'arrays with channels last give other numbers to a model that wants them first'
  failures=$((failures + 1))
}
expect 0 "$sinter" predict static.sir pictures.npy --top=60
grep ' all: ' out | sed 's/ all:/:/' | cmp -s - last.out || {
  echo 'a model without a batch gives other numbers for arrays'
  failures=$((failures + 1))
}

# What is no number comes behind the numbers, which are in order.
cat >random.sir <<'END'
%0 = input {name="x", type=f32[N,60]} : f32[N,60]
%1 = relu %0 : f32[N,60]
output "prediction" %1
END
cat >logarithm.sir <<'END'
%0 = input {name="x", type=f32[N,60]} : f32[N,60]
%1 = constant {values=[-0.5], type=f32[]} : f32[]
%2 = add %0, %1 : f32[N,60]
%3 = log %2 : f32[N,60]
output "prediction" %3
END
expect 0 "$sinter" run random.sir --input=random:5:1x60 --output=@random.npy
expect 0 "$sinter" predict logarithm.sir random.npy --top=60
sed 's/.*npy: //; s/class [0-9]* //g; s/, */\n/g' out | awk '
  /nan/ { ++missing; next }
  missing || (NR > 1 && $1 > last) { wrong = 1 }
  { last = $1; ++numbers }
  END { exit wrong || !missing || !numbers || missing + numbers != 60 }' || {
  echo 'predictions are not in order:'
  cat out
  failures=$((failures + 1))
}
expect 0 "$sinter" run static.sir --input=random:1:1x3x4x5 --json
expect 0 "$sinter" bench static.sir --time=0.01 --json
shows out '"batch":1'
expect 1 "$sinter" bench static.sir --batch=2 --time=0.01
shows err 'has no batch dimension: n must be 1, got 2'
expect 0 "$sinter" compile static.sir -o static --target=host
expect 0 ./static info
shows out 'output:     all [60]'
exit $((failures > 0))
