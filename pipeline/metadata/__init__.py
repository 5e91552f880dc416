"""ML Metadata: its database, the lock of a run, recovery, and digests for the cache."""
