"""What is to be done: goals, distances, rewards, and which poses and places can be reached."""
