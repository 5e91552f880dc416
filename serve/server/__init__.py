"""The model server: what `make serve` runs, in an environment of its own."""
