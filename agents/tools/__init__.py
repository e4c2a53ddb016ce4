"""General tools: files, checkpoints, threads, processes, least squares."""
