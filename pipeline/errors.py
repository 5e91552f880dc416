"""What is wrong before any work starts."""


class ConfigError(ValueError):
    """A setting is wrong; the message names it, its value and what is allowed."""
