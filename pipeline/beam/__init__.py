"""Beam's engines: options, job servers, and who may listen where."""
