"""Custody: the durable log of batches not yet delivered to every sink that must have them."""
