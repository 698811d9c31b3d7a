"""What is wrong with a value that cannot cross the bridge."""


class ConvertError(ValueError):
    """A value has no counterpart on the other side; `path` is the field, as in `faces[2].box`."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem
