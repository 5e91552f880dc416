"""Has images told by the models that were pushed, on this machine or by a server."""
