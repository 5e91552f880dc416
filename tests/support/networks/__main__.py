"""Prints the table of docs/device-models.md: `python -m tests.support.networks`."""

from tests.support.networks import outcomes

print(outcomes.table())
