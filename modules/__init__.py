"""What TFX loads inside its components: features, preprocessing, the Flax model, exports."""
