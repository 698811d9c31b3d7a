"""What is evaluated: which faces count, what is asked of the networks, and how the answers are scored."""
