"""The sink `dnp3.outstation`: the part of the outstation that knows the gateway."""

from gateway_dnp3.outstation.sink.sink import DnpOutstation

__all__ = ["DnpOutstation"]
