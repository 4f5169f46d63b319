"""JSON lines on stdin and stdout: how the partner programs are driven.

A request is {"id": 1, "do": "word", ...} and gets one reply {"id": 1, "ok": true, ...}, or
{"id": 1, "ok": false, "error": "..."}. What happens by itself is {"event": "word", ...}.
At the end of stdin the program ends.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from typing import Any

import c104

Request = dict[str, Any]
Doing = Callable[[Request], dict[str, Any] | None]

_lock = threading.Lock()


def say(**line: Any) -> None:
    """Write a line; from any thread."""
    text = json.dumps(line)
    with _lock:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def obey(doings: dict[str, Doing]) -> None:
    """Do what is asked, line by line, until there are no more."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            found = doings[request["do"]](request) or {}
        except Exception as error:  # whatever it is, the test must hear of it
            say(id=request.get("id"), ok=False, error=f"{type(error).__name__}: {error}")
        else:
            say(**{"id": request.get("id"), "ok": True, **found})


def settings() -> dict[str, Any]:
    """Return what the program was started with: a JSON object, its one argument."""
    found: dict[str, Any] = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    return found


def apply_parameters(parameters: c104.ProtocolParameters, wanted: dict[str, Any]) -> None:
    """Set k, w and t0 to t3 where they are given; times in whole seconds."""
    names = {
        "k": "send_window_size",
        "w": "receive_window_size",
        "t0": "connection_timeout",
        "t1": "message_timeout",
        "t2": "confirm_interval",
        "t3": "keep_alive_interval",
    }
    for name, attribute in names.items():
        if name in wanted:
            setattr(parameters, attribute, wanted[name])


def transport_security(wanted: dict[str, Any] | None) -> c104.TransportSecurity | None:
    """Return the TLS settings of a server, None without.

    certificate, key, ca: paths; a client needs a certificate of this authority.
    allowed: paths of the certificates that clients may have, any of the authority without.
    version: 1.2 or 1.3, for both ends of the range.
    """
    if wanted is None:
        return None
    allowed = wanted.get("allowed", [])
    tls = c104.TransportSecurity(validate=True, only_known=bool(allowed))
    tls.set_certificate(cert=wanted["certificate"], key=wanted["key"])
    tls.set_ca_certificate(cert=wanted["ca"])
    for certificate in allowed:
        tls.add_allowed_remote_certificate(cert=certificate)
    if "version" in wanted:
        version = {"1.2": c104.TlsVersion.TLS_1_2, "1.3": c104.TlsVersion.TLS_1_3}
        tls.set_version(min=version[wanted["version"]], max=version[wanted["version"]])
    return tls
