"""Why runtimes differ on one integer model: `python -m benchmarks.rounding`."""
