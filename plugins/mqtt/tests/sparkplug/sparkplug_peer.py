"""Run by an interpreter of its own that has pysparkplug, which cannot live beside aiomqtt.

Standard input: a line for each message: its type, its device, its payload in hex.
Standard output: the same messages as that library reads them, then commands as it writes them.
"""

import json
import sys

import pysparkplug as peer

births = {}
for line in sys.stdin:
    kind, device, octets = line.rstrip("\n").split(" ")
    raw = bytes.fromhex(octets)
    if kind in ("NBIRTH", "DBIRTH"):
        message = births[device] = (peer.NBirth if kind == "NBIRTH" else peer.DBirth).decode(raw)
    elif kind == "NDEATH":
        message = peer.NDeath.decode(raw)
    elif kind == "DDEATH":
        message = peer.DDeath.decode(raw)
    else:
        known = births[device]
        message = (peer.NData if kind == "NDATA" else peer.DData).decode(raw, birth=known)
    found = message.metrics if hasattr(message, "metrics") else ()
    if kind == "NDEATH":
        found = (message.bd_seq_metric,)
    metrics = [
        [m.name, int(m.datatype), m.value, m.timestamp, m.is_historical, m.is_null] for m in found
    ]
    print(json.dumps([kind, device, getattr(message, "seq", None), metrics]))

for name, datatype, value in (
    ("i8", peer.DataType.INT8, -2),
    ("i32", peer.DataType.INT32, -70000),
    ("i64", peer.DataType.INT64, -5_000_000_000),
    ("u16", peer.DataType.UINT16, 65535),
    ("double", peer.DataType.DOUBLE, 0.1),
    ("boolean", peer.DataType.BOOLEAN, True),
):
    metric = peer.Metric(
        timestamp=peer.get_current_timestamp(), name=name, datatype=datatype, value=value
    )
    command = peer.DCmd(timestamp=peer.get_current_timestamp(), metrics=(metric,))
    print(json.dumps([name, value, command.encode(include_dtypes=True).hex()]))
