// Ring: to be written.
