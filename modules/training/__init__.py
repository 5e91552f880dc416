"""The training, in JAX alone: loop, config, augmentation, feed, checkpoints."""
