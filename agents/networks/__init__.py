"""Networks between pictures, latents and poses."""

from .autoencoder import ConvAutoencoder
from .expectation import Expectation
from .generator import PictureGenerator
from .glance import Glance

__all__ = ["ConvAutoencoder", "Expectation", "Glance", "PictureGenerator"]
