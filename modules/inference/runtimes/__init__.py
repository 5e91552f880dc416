"""One model in every runtime that devices have: which there are, and what they answer."""
