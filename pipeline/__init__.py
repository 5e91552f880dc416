"""The TFX pipeline: its config, its components and its runners."""
