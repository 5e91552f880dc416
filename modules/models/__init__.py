"""The networks, in JAX."""
