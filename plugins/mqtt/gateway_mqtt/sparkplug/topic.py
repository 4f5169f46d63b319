"""Topics of Sparkplug B: spBv1.0/group/type/node, and the device behind it."""

from __future__ import annotations

import re

NAMESPACE = "spBv1.0"
MOST_BYTES = 65535
"""The longest topic: a UTF-8 string has a two-byte length (MQTT 5.0 clause 1.5.4)."""

_RESERVED = re.compile(r"[/+#\x00-\x1f\x7f]")


def fault(name: str) -> str:
    """Return what is wrong with the name of a group, node, device or host; empty if nothing is."""
    if not name:
        return "it is empty, and a level of a topic must have a name"
    found = _RESERVED.search(name)
    if found:
        return f"it has {found[0]!r}; a level of a topic has no /, + or # and no control characters"
    return ""


def topic(kind: str, group: str, node: str, device: str = "") -> str:
    """Return the topic of a message type: `DDATA` with a device, `NDATA` without."""
    return "/".join((NAMESPACE, group, kind, node, *((device,) if device else ())))


def state_topic(host: str) -> str:
    """Return where a host application says whether it is there (clause 4.2.3)."""
    return f"{NAMESPACE}/STATE/{host}"
