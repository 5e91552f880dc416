"""What is measured beside ours: other software on the same task, and what loads a server."""
