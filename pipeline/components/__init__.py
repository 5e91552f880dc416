"""The pipeline's own components, one file each, and their artifact types."""
