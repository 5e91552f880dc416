"""The SavedModel as an object: callable, traced for batch sizes, with what can be trained in it."""
