"""Objects: what stands in a fragment, from bytes and to bytes."""

from gateway_dnp3.objects.columns import NO_TIME, ONLINE, Columns
from gateway_dnp3.objects.error import ObjectError, Reason
from gateway_dnp3.objects.header import ObjectHeader
from gateway_dnp3.objects.layout import LAYOUTS, is_measurement
from gateway_dnp3.objects.qualifier import Qualifier

__all__ = [
    "LAYOUTS",
    "NO_TIME",
    "ONLINE",
    "Columns",
    "ObjectError",
    "ObjectHeader",
    "Qualifier",
    "Reason",
    "is_measurement",
]
