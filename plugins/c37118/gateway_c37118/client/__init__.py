"""The source `c37118.client`: a PMU or a PDC and its streams."""
