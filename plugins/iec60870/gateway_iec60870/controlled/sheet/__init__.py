"""The interoperability sheet of a controlled station (101:2003 clause 8, 104:2006 clause 9).

Its tables are those of the standard, and are made from what runs: `gateway profile` prints them.
"""

from gateway_iec60870.controlled.sheet.lower_layers import LowerLayers
from gateway_iec60870.controlled.sheet.markdown import Row
from gateway_iec60870.controlled.sheet.sheet import sheet

__all__ = ["LowerLayers", "Row", "sheet"]
