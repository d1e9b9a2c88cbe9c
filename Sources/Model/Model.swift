// Model: to be written.
