"""The benchmark of image goals: the goals, how an agent learns and is tried, its tasks and its table."""
