"""What lies below a body: the files of an MJCF, and which contacts of an arm count."""
