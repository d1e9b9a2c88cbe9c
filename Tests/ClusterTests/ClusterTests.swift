// ClusterTests: to be written.
