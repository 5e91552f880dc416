"""Forms that keep images as numbers in one file: `.npz` and CSV."""
