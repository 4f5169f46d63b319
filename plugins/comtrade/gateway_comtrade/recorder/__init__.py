"""A fault recorder."""
