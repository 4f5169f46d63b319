"""IEC 60870-5-101: the source `iec101.master` and the sink `iec101.slave`."""
