"""Recordings played again."""
