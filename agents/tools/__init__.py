"""Tools that know no arm: files, checkpoints, threads, processes, least squares."""
