"""The names and ranges that all stages of the pipeline agree on; `data.task.Task` has shapes."""

# Raw features, as ExampleGen writes them and as both exported models take them.
IMAGE_FLOATS = "image_floats"  # float32[height * width * channels], row-major, range [0, 1]
IMAGE_CLASS = "image_class"  # int64[1], 0 to num_classes - 1
IMAGE_SET = "image_set"  # bytes[1], a `data.splits.Split`; evaluations are sliced by it

# What Transform makes of IMAGE_FLOATS and what the network is trained on.
IMAGE_NORMALIZED = "image_normalized"  # of the same shape, mean 0 and variance 1 over train

# What every exported model returns.
LOGITS = "logits"  # float32[B, num_classes], as the last dense layer gives them: no softmax
# What the SavedModel adds for those who send it examples.
PROBABILITIES = "probabilities"  # float32[B, num_classes], the softmax of the logits
CLASS = "class"  # int64[B], of the largest logit
# What it returns without its last dense layer.
FEATURES = "features"  # float32[B, size of the features]

# The device model's file in the Model artifact, beside the SavedModel; TFMA looks for this name.
TFLITE_FILE = "tflite"
# What the model was trained for, as `data.task.Task.to_json` gives it, at the artifact's root.
TASK_FILE = "task.json"
