"""The mind: it recalls, imagines, tries in the head, plans and acts."""
