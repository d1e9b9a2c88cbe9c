// Messaging: to be written.
