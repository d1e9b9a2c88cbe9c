// Kernels: to be written.
