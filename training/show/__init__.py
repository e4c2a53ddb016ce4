"""Tables, figures, films and pages."""
