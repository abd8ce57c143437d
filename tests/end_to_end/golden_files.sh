#!/bin/sh
# golden_files.sh SINTER SOURCE: programs compiled from real files of other tools reach the accuracy
# and loss that those tools printed, over the whole test set. 77: there are no such files.
sinter=$1 scripts=$2/tests/end_to_end/golden golden=$2/../shared/golden
[ -d "$golden" ] || { echo "skipped: there is no $golden"; exit 77; }
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
failures=0

# expect 'LOSS AND ACCURACY' ARGUMENTS...
expect() {
  expected=$1
  shift
  printed=$(cd "$folder" && "$sinter" evaluate "$@" --split=test 2>&1)
  case $printed in
  *"$expected"*) ;;
  *)
    echo "expected $expected, got: $printed"
    failures=$((failures + 1))
    ;;
  esac
}

expect 'loss 0.2363, accuracy 0.9168' "$golden/keras2_fashion_cnn.h5" --data=fashion-mnist
expect 'loss 0.2553, accuracy 0.9096' "$golden/keras3_fashion_cnn.keras" --data=fashion-mnist
expect 'loss 0.2494, accuracy 0.9083' "$scripts/torch_fashion_cnn.py" \
  --weights="$golden/torch_fashion_cnn_book.pt"
expect 'loss 0.0523, accuracy 0.9890' "$scripts/simple_convnet.py" --data="$golden/mnist" \
  --weights="$golden/simple_convnet_params.pkl"

# What is written can be read again: by us, and with the same values.
"$sinter" convert "$golden/torch_fashion_cnn_book.pt" -o "$folder/w.safetensors" \
  --model="$scripts/torch_fashion_cnn.py" &&
  "$sinter" export "$folder/w.safetensors" -o "$folder/w.h5" || failures=$((failures + 1))
expect 'loss 0.2494, accuracy 0.9083' "$scripts/torch_fashion_cnn.py" --weights="$folder/w.h5"

# lists FILE TEXT
lists() {
  "$sinter" inspect "$golden/$1" | grep -qF "$2" || {
    echo "inspect of $1 does not show $2"
    failures=$((failures + 1))
  }
}
for file in keras2_fashion_cnn.h5 keras3_fashion_cnn.keras; do
  lists $file 'conv2d (Conv2D)                │ [N,28,28,32] │    320'
  lists $file 'dense (Dense)                  │ [N,100]      │ 313700'
done
lists simple_convnet_params.pkl 'W1    │ f64  │ [30,1,5,5]'
lists torch_fashion_cnn_book.pt '333526 elements'
exit $((failures > 0))
