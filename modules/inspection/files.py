"""The files of models that tell what they are."""

# One of these is in a SavedModel's folder: as bytes, as text, and as chunks of more than 2 GiB.
GRAPH_FILES = ("saved_model.pb", "saved_model.pbtxt", "saved_model.cpb")
LARGEST = 2**31 - 1  # bytes of a message, and of a flatbuffer
