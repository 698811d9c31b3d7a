"""What the `faced` command returns; the same numbers as `faced-cli`."""

DONE = 0
USAGE = 2
BAD_INPUT = 3
ADDRESS_IN_USE = 4
NOT_SERVING = 4
MODELS_MISSING = 5
HUNG = 70
"""A run of a network did not end: only a new process helps."""
