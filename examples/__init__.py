"""What can be done with that which the pipeline pushed, in programs of a user's own."""
