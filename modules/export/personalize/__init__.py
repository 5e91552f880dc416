"""Models that are trained on the device, in one TFLite file of built-in operators."""
