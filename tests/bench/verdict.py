"""A line of a bench: what was measured, its bound, and whether it was met."""


def row(what: str, value: str, bound: str, met: bool) -> bool:
    """Prints the line; gives `met`."""
    print(f"{what:62} {value:>9} {bound:>14}   {'met' if met else 'MISSED'}", flush=True)
    return met
