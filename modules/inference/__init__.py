"""Running models: LiteRT, TFMA's extractor and metrics, timing."""
