"""What TFX calls by name, and the rooms behind it: models, training, export, inference."""
