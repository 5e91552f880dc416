"""The device models on microcontrollers: C files, and TensorFlow Lite Micro on this machine."""
