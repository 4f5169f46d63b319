"""COMTRADE."""
