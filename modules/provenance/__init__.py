"""Which code and which package versions a result comes from."""
