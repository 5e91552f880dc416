"""Running one node or all of them, and what the terminal shows of it."""
