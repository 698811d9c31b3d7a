"""Generated from proto/faced/v1 by `make proto`; do not edit."""
