"""Says what a SavedModel or a `.tflite` offers, whoever made it."""
