"""The forms that data comes in: each is found by its content, and read by ranges."""
