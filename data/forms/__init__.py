"""The forms that data comes in: IDX files, plain or gzipped, and their checksums."""
