"""The compliance run of the synchrophasors: `python -m benchmarks.pmu`, `make pmu-compliance`."""
