"""What runs in the processes that are measured. Each needs one engine, and nothing of this project."""
