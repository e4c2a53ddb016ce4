"""Tests of the agent: reaching, planning and imagery, with a bound for what looking can reach."""
