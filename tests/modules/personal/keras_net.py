"""A head of a user's: two dense layers with L2, in Keras."""

import keras

from modules.personal import keras_head


def make(size, num_classes):
    l2 = keras.regularizers.L2(1e-3)
    return keras.Sequential(
        [
            keras.Input((size,)),
            keras.layers.Dense(16, "relu", kernel_regularizer=l2),
            keras.layers.Dense(num_classes, kernel_regularizer=l2),
        ]
    )


HEAD = keras_head(make)
