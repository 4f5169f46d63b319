"""The sink `c37118.server`: the gateway as a PMU, or as a phasor data concentrator."""
