"""The YAML file and the point list as one tree of models, or as everything that is wrong."""

from gateway.config.loading import load, point_list
from gateway.config.problem import ConfigError, Problem
from gateway.config.selection import takes

__all__ = ["ConfigError", "Problem", "load", "point_list", "takes"]
