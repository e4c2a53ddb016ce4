"""What reinforcement learning needs: stable-baselines3's side, picture goals, residuals and priors."""
