"""The frame of all studies: settings, seeds one by one, criteria, curves and the page."""
