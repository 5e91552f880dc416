"""Names in a personal model; those of what it shares with other models are in `features`."""

# Signatures.
BOTTLENECK = "bottleneck"  # image_floats float32[1, pixels] -> features float32[1, size]
INFER = "infer"  # features float32[1, size], parameters -> logits float32[1, classes]
TRAIN_STEP = "train_step"  # features, labels, parameters and state -> the latter, loss
INITIAL = "initial"  # nothing -> parameters and state

# Inputs and outputs of TRAIN_STEP.
LABELS = "labels"  # float32[B, classes]: a row is one-hot times the weight of the image
LOSS = "loss"  # float32 scalar, before the step

# How the names of what is trained begin.
PARAMS, STATE = "params_", "state_"
