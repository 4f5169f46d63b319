"""The image as OPC UA values: one sample when a client reads, columns when it monitors."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from asyncua import ua

from gateway import SinkContext
from gateway_opcua.nodes import PointNode
from gateway_opcua.status import StatusColumn, judge
from gateway_opcua.variable import DataType, data_type, data_value


class Reading:
    """What the nodes of points read: the image at that moment, nothing before."""

    def __init__(self, ctx: SinkContext) -> None:
        self._ctx = ctx
        self.nodes: dict[ua.NodeId, PointNode] = {}
        size = 1 + max((point.id for point in ctx.points), default=0)
        self._types = np.zeros(size, np.uint8)
        for point in ctx.points:
            self._types[point.id] = data_type(point.definition)

    def types(self, point: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
        """Return the data type of each point."""
        return self._types[point]

    def status(
        self,
        point: npt.NDArray[np.int32],
        value: npt.NDArray[np.float64],
        quality: npt.NDArray[np.uint16],
        time: npt.NDArray[np.int64],
    ) -> StatusColumn:
        """Return the StatusCode of each sample."""
        return judge(value, quality, time, self._types[point] == DataType.DOUBLE)

    def sample(self, point: int) -> tuple[float, int, int]:
        """Return value, StatusCode and time (ns) that the image has of a point."""
        image, row = self._ctx.image, slice(point, point + 1)
        value, time = image.value[row], image.time[row]
        status = judge(value, image.quality[row], time, self._types[row] == DataType.DOUBLE)
        return float(value[0]), int(status[0]), int(time[0])

    def read(self, nodeid: ua.NodeId, _attribute: ua.AttributeIds) -> ua.DataValue:
        """Return the value of a point's node as it is in the image now."""
        node = self.nodes[nodeid]
        value, status, time = self.sample(node.point.id)
        kind = DataType(self._types[node.point.id])
        return data_value(kind, value, status, time, self._ctx.now())
