"""What is decided of a model that is trained on the device."""
