"""A user's mistake, told in one line: what came, what was expected, how to mend it."""


class UserError(ValueError):
    """What a user gave cannot be used; the message says what came, what was expected, and how to mend it.

    The command line shows it as one line and ends with status 2. Any other exception is a fault of this project and shows
    where it happened.
    """
