"""Agents that babble, map, imagine and reach."""
