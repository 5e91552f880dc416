"""What the client says where something is wrong."""


class PersonalError(ValueError):
    """A package, a state, an image or a label that cannot be used; one sentence says why."""
