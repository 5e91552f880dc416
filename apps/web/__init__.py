"""The page: draw, have the pushed models tell what it is, and teach them, in the browser alone."""
