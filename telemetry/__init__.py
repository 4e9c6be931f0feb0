"""What a process counts of its own work, in Prometheus' terms. Knows nothing of the rest of the house."""
