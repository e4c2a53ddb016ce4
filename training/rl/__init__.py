"""Learning by reinforcement: settings, environments, watching, films, the table."""
