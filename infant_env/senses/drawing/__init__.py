"""How frames are drawn: OpenGL contexts, and the screens that draw in them."""
