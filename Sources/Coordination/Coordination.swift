// Coordination: to be written.
