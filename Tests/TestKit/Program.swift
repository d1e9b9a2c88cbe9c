// TestKit: to be written.
