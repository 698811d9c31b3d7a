"""Measurements that anyone can repeat: `faced bench`."""
