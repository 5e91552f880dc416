"""Networks in the forms that TensorFlow and TFLite can read: the same numbers, other operations."""
