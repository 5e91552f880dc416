"""Answers by the models that were pushed."""
