// Text: to be written.
