"""Data sets as four checked IDX files: readers, catalogue, download, digits, hard images."""
