"""Why the agent ends without a result."""


class Refusal(Exception):
    """Said in one sentence on stderr; the agent then exits with 2 and without an `exit` frame."""
