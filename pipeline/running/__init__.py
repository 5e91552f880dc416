"""Running one node or all of them, and showing it on the terminal."""
