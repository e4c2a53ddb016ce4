"""The command line and what it runs: collect, train, evaluate, reach, report."""
