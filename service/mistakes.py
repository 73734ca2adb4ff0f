"""What an operator can put right, apart from whatever finds it: the command line tells it in a line."""


class OperatorMistake(Exception):
    """A setting, a folder or a port is not as it must be; the text says which, and what is wrong."""
