"""Evaluates functions of JAX with some of their operations replaced."""
