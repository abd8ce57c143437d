# The NumPy network of simple_convnet_params.pkl, whose file holds weights alone.
from tensorflow import keras

(train_x, train_y), (test_x, test_y) = keras.datasets.mnist.load_data()
test_x = test_x.reshape(-1, 28, 28, 1) / 255.0

model = keras.Sequential([
    keras.layers.Input(shape=(28, 28, 1)),
    keras.layers.Conv2D(30, 5, activation='relu'),
    keras.layers.MaxPooling2D(2),
    keras.layers.Flatten(),
    keras.layers.Dense(100, activation='relu'),
    keras.layers.Dense(10),
])
model.compile(optimizer='adam', metrics=['accuracy'],
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.evaluate(test_x, test_y)
