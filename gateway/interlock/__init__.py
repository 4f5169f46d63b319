"""Interlocks: what must hold before a command leaves, as a boolean expression over points."""

from gateway.interlock.condition import Condition, Flag, Position, Relation, State
from gateway.interlock.error import InterlockError
from gateway.interlock.interlock import Interlock, parse

__all__ = [
    "Condition",
    "Flag",
    "Interlock",
    "InterlockError",
    "Position",
    "Relation",
    "State",
    "parse",
]
