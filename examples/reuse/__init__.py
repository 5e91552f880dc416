"""The parts of `examples.keras_reuse`."""
