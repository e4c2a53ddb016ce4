"""The map, taught: schedules, the paper's literal rule, coarse to fine, the map over samples."""
