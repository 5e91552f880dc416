"""Builds the Android app with the models that were pushed, of Debian's and Maven Central's parts."""
