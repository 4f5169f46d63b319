"""The master of DNP3: sessions with outstations, and the source `dnp3.master`."""
