"""Which code and which versions of packages a result comes from."""
