"""A pushed version on its way from its folder to answers."""
