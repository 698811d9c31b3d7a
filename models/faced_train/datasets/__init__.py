"""The formats in which labelled faces are handed out."""
