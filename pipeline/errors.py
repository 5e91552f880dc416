"""The error that a wrong setting gives."""


class ConfigError(ValueError):
    """A setting is wrong; the message names it, its value and what is allowed."""
