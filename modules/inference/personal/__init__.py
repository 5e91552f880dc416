"""The client of training on the device: numpy, safetensors and LiteRT, no JAX or TensorFlow."""
