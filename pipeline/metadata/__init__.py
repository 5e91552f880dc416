"""ML Metadata: its database, the lock of a run, what killed runs left, what the cache knows."""
