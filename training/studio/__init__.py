"""The studio: the infant in the browser, to look at, to touch and to steer. One room per view."""
