#!/bin/sh
# A program that computes activations again (--max-memory) trains to the same bits as one that keeps
# them where the kernels are the same, dropout and the optimizer's state included.
sinter=$1
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 2
[ -d /usr/share/datasets/fashion-mnist ] || { echo "no Fashion-MNIST here"; exit 77; }

cat >net.py <<'END'
from tensorflow import keras
(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
x_train, y_train = x_train[:96] / 255.0, y_train[:96]
inputs = keras.layers.Input(shape=(28, 28, 1))
x = inputs
for filters in (16, 16, 32, 32, 32):
    x = keras.layers.Conv2D(filters, 3, padding='same', activation='relu')(x)
    x = keras.layers.Dropout(0.1)(x)
for filters in (32, 32):
    x = keras.layers.Conv2D(filters, 3, padding='same', activation='relu')(x)
    x = keras.layers.MaxPooling2D()(x)
x = keras.layers.Flatten()(x)
outputs = keras.layers.Dense(10, activation='softmax')(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x_train, y_train, epochs=2, batch_size=32)
END

"$sinter" compile net.py --target=host --name=net -o kept || exit 1
"$sinter" compile net.py --target=host --name=net --max-memory=16M -o again || exit 1
for program in kept again; do
  ./$program train --quiet --seed=3 --threads=2 --checkpoint=$program.safetensors || exit 1
done
cmp kept.safetensors again.safetensors || exit 1
cmp kept.resume.safetensors again.resume.safetensors || exit 1

training_bytes() {
  ./$1 info --json | sed -E 's/.*"training":\{"bytes":([0-9]+).*/\1/'
}
[ "$(training_bytes kept)" -gt 17000000 ] && [ "$(training_bytes again)" -lt 16777216 ] || {
  echo "kept: $(training_bytes kept) bytes, again: $(training_bytes again)"
  exit 1
}
