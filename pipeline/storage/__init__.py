"""Folders and object stores: copies, staging for TFX, pushed versions."""
