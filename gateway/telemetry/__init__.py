"""Traces of commands, for a collector; needs the extra `telemetry` of the distribution."""
