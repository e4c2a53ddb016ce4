"""What lies below a body: the files of an MJCF, which contacts of an arm count, and the surfaces of shapes."""
