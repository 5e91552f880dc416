"""Data sets as four checked IDX files: reading, catalogue, download and offline digits."""
