"""Reinforcement learning: settings, environments, the training with its callback, films, the table."""
