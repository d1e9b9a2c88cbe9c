// Parameters: to be written.
