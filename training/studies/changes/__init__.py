"""Three changes of a body, each a study of `infant-arm study body`: growth, a tool, damage."""
