"""The error for a user's mistake; its message is one line: what came, what was expected, how to mend it."""


class UserError(ValueError):
    """The user gave a value that cannot be used; the message says what came, what was expected, and how to mend it.

    The command line shows the message as one line and exits with status 2. Any other exception is a bug of this project
    and shows its traceback.
    """
