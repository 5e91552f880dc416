"""Running models: LiteRT, TFMA's extractor and metrics, the time of an image."""
