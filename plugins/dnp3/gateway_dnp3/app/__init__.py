"""The application layer: fragments, function codes, internal indications and what they hold."""

from gateway_dnp3.app.content import Item, contents, gather, headers, indication
from gateway_dnp3.app.error import FragmentError
from gateway_dnp3.app.fragment import AppControl, Fragment, parse
from gateway_dnp3.app.function import NAMING, NO_ANSWER, RESPONSES, FunctionCode
from gateway_dnp3.app.iin import Iin
from gateway_dnp3.app.writer import (
    EVENT_CLASSES,
    INTEGRITY,
    Writer,
    assign_class,
    class_objects,
    clear_restart,
    name_all,
    name_range,
)

__all__ = [
    "EVENT_CLASSES",
    "INTEGRITY",
    "NAMING",
    "NO_ANSWER",
    "RESPONSES",
    "AppControl",
    "Fragment",
    "FragmentError",
    "FunctionCode",
    "Iin",
    "Item",
    "Writer",
    "assign_class",
    "class_objects",
    "clear_restart",
    "contents",
    "gather",
    "headers",
    "indication",
    "name_all",
    "name_range",
    "parse",
]
