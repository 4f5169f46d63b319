"""The words of the gateway as types: points, samples, quality, time, links."""
