"""The network, in JAX, and layers that train fast on a CPU."""
