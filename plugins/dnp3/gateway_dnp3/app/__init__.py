"""The application layer: fragments, function codes, internal indications."""

from gateway_dnp3.app.error import FragmentError
from gateway_dnp3.app.fragment import AppControl, Fragment, parse
from gateway_dnp3.app.function import NAMING, NO_ANSWER, RESPONSES, FunctionCode
from gateway_dnp3.app.iin import Iin

__all__ = [
    "NAMING",
    "NO_ANSWER",
    "RESPONSES",
    "AppControl",
    "Fragment",
    "FragmentError",
    "FunctionCode",
    "Iin",
    "parse",
]
