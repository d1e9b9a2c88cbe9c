// Checkpoint: to be written.
