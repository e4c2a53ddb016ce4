"""The contest of maps: data, peers, their schedules, a process for each, and the table."""
