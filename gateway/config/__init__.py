"""The YAML file and the point list as one tree of models, or as everything that is wrong."""

from gateway.config.explanation import explain
from gateway.config.loading import load, point_list
from gateway.config.problem import ConfigError, Problem
from gateway.config.schema import schema
from gateway.config.selection import points_of, takes
from gateway.model.explanation import Explanation

__all__ = [
    "ConfigError",
    "Explanation",
    "Problem",
    "explain",
    "load",
    "point_list",
    "points_of",
    "schema",
    "takes",
]
