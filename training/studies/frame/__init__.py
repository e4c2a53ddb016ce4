"""The frame of the studies: settings, seeds one by one, criteria, figures and the page; and what several studies use."""
