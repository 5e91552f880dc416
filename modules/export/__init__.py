"""From parameters to a SavedModel and TFLite models, each checked after its conversion."""
