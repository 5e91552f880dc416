"""Reading tf.Examples into memory, or into sorted files where they do not fit."""
