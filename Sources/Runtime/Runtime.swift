// Runtime: to be written.
