"""From a path to a checked data set: what form it has, what its labels are, what it is called."""
