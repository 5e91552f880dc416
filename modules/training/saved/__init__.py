"""What a training leaves on the disk: checkpoints, variables; and what others have left."""
