"""What is raised where the audit log cannot do its work."""

from __future__ import annotations

from gateway.model.errors import GatewayError


class AuditError(GatewayError):
    """The audit log cannot be opened, written, read or checked; the sentence says why."""
