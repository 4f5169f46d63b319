"""The audit log: who asked for what, what became of it, and the proof that nobody changed it."""

from gateway.audit.error import AuditError
from gateway.audit.log import AuditLog
from gateway.audit.reading import newest, records, tail
from gateway.audit.record import Record
from gateway.audit.verdict import Verdict, verify

__all__ = ["AuditError", "AuditLog", "Record", "Verdict", "newest", "records", "tail", "verify"]
