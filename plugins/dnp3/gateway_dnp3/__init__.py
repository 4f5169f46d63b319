"""DNP3 (IEEE 1815)."""
