"""Downloading a catalogue entry from the mirrors that have it."""
