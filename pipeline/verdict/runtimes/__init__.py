"""What one file answers in several runtimes, and how far these may be from each other."""
