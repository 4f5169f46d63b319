"""IEC 60870-5-104: the source `iec104.client` and the sink `iec104.server`."""
