"""The `faced-cli` command."""
