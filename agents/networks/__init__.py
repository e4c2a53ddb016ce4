"""Networks between pictures, latents and poses."""
