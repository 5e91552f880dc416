"""Data sets in any form, checked: readers, catalogue, download, digits, hard images."""
