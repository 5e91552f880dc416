"""The names of files in the report folder, and in the artifacts that it is copied from."""

COMPARISON_FILE = "comparison.json"
REPORT_FILE = "index.html"
