"""How good distributions are, as figures; pure."""
