"""The agent, tried: reaching, planning, imagery, and the best that looking could come to."""
