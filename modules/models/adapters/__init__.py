"""Make a model of what people write: Flax's Linen, its NNX, and functions."""
