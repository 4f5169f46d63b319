"""Engineering units as OPC UA names them: UNECE recommendation 20 (OPC 10000-8, 5.6.3)."""

from __future__ import annotations

NAMESPACE = "http://www.opcfoundation.org/UA/units/un/cefact"

UNECE: dict[str, tuple[str, str]] = {
    # unit in the point list: common code, name
    "V": ("VLT", "volt"),
    "mV": ("2Z", "millivolt"),
    "kV": ("KVT", "kilovolt"),
    "A": ("AMP", "ampere"),
    "mA": ("4K", "milliampere"),
    "kA": ("B22", "kiloampere"),
    "W": ("WTT", "watt"),
    "kW": ("KWT", "kilowatt"),
    "MW": ("MAW", "megawatt"),
    "GW": ("A90", "gigawatt"),
    "VA": ("D46", "volt - ampere"),
    "kVA": ("KVA", "kilovolt - ampere"),
    "MVA": ("MVA", "megavolt - ampere"),
    "var": ("D44", "var"),
    "kvar": ("KVR", "kilovar"),
    "kVAr": ("KVR", "kilovar"),
    "Mvar": ("MAR", "megavar"),
    "MVAr": ("MAR", "megavar"),
    "Wh": ("WHR", "watt hour"),
    "kWh": ("KWH", "kilowatt hour"),
    "MWh": ("MWH", "megawatt hour (1000 kW.h)"),
    "GWh": ("GWH", "gigawatt hour"),
    "kvarh": ("K3", "kilovolt ampere reactive hour"),
    "J": ("JOU", "joule"),
    "Ah": ("AMH", "ampere hour"),
    "Hz": ("HTZ", "hertz"),
    "kHz": ("KHZ", "kilohertz"),
    "%": ("P1", "percent"),
    "°": ("DD", "degree [unit of angle]"),
    "deg": ("DD", "degree [unit of angle]"),
    "rad": ("C81", "radian"),
    "°C": ("CEL", "degree Celsius"),
    "degC": ("CEL", "degree Celsius"),
    "°F": ("FAH", "degree Fahrenheit"),
    "K": ("KEL", "kelvin"),
    "Ω": ("OHM", "ohm"),
    "ohm": ("OHM", "ohm"),
    "mΩ": ("E45", "milliohm"),
    "F": ("FAR", "farad"),
    "H": ("81", "henry"),
    "ms": ("C26", "millisecond"),
    "s": ("SEC", "second [unit of time]"),
    "min": ("MIN", "minute [unit of time]"),
    "h": ("HUR", "hour"),
    "d": ("DAY", "day"),
    "m": ("MTR", "metre"),
    "mm": ("MMT", "millimetre"),
    "km": ("KMT", "kilometre"),
    "m/s": ("MTS", "metre per second"),
    "rpm": ("RPM", "revolutions per minute"),
    "W/m²": ("D54", "watt per square metre"),
    "W/m2": ("D54", "watt per square metre"),
    "Pa": ("PAL", "pascal"),
    "kPa": ("KPA", "kilopascal"),
    "bar": ("BAR", "bar [unit of pressure]"),
    "m³/h": ("MQH", "cubic metre per hour"),
    "m3/h": ("MQH", "cubic metre per hour"),
    "l": ("LTR", "litre"),
    "kg": ("KGM", "kilogram"),
    "N": ("NEW", "newton"),
    "dB": ("2N", "decibel"),
    "B": ("AD", "byte"),
}


def unit_id(code: str) -> int:
    """Return the UnitId of a common code: its characters as one number, the first the highest."""
    return int.from_bytes(code.encode("ascii"), "big")


def unit(text: str) -> tuple[int, str, str]:
    """Return UnitId, display name and description of a unit of the point list.

    A unit outside the table has UnitId -1 and keeps its own text (OPC 10000-8, 5.6.3).
    """
    known = UNECE.get(text)
    return (unit_id(known[0]), text, known[1]) if known else (-1, text, text)
