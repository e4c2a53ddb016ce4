"""The search for poses whose imagined pictures fit a goal picture."""
