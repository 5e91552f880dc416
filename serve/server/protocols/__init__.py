"""How requests come and answers go: Open Inference Protocol, TensorFlow Serving's REST."""
