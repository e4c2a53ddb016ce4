"""The studio's server: who may open the page, and how much may be sent to it."""
