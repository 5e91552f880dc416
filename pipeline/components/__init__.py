"""The pipeline's own components, one file for each, and the types of their artifacts."""
