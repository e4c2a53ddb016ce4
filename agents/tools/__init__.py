"""General tools: files, locks, checkpoints, threads, processes, least squares."""
