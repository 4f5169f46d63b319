"""Names of results: what they mean, and what is said of a wrong one."""

from __future__ import annotations

import pytest

from gateway.kernel import Quantity
from gateway.waveform.result import EventResult, PhasorResult, parse_result


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("phasor/frequency", PhasorResult("frequency", "")),
        ("phasor/rocof", PhasorResult("rocof", "")),
        ("phasor/magnitude/ua", PhasorResult("magnitude", "ua")),
        ("phasor/angle/i2", PhasorResult("angle", "i2")),
        ("dip/active/all", EventResult("dip", "active", "all")),
        ("change/steady/b", EventResult("change", "steady", "b")),
        ("10min/harmonic/ub/5", Quantity("10min", "harmonic", "ub", 5)),
        ("total/energy/import_all", Quantity("total", "energy", "import_all")),
    ],
)
def test_a_name_and_back(name: str, result: object) -> None:
    """A name is a result, and the result says its name."""
    assert parse_result(name) == result
    assert str(parse_result(name)) == name


@pytest.mark.parametrize(
    ("name", "found", "allowed"),
    [
        ("", "''", "phasor, half, cycles"),
        ("phasors/frequency", "'phasors'", "phasor, half"),
        ("phasor", "'' after 'phasor/'", "frequency, rocof, magnitude, angle"),
        ("phasor/frequency/ua", "'ua' after 'phasor/frequency/'", "nothing"),
        ("phasor/angle", "'' after 'phasor/angle/'", "ua, ub"),
        ("phasor/angle/ud", "'ud'", "ua, ub, uc, un, ia, ib, ic, in, u1, u2, u0, i1, i2, i0"),
        ("phasor/angle/ua/1", "'/1' at its end", "nothing more"),
        ("dip", "'' after 'dip/'", "active, voltage, duration"),
        ("dip/active/d", "'d' after 'dip/active/'", "a, b, c, all"),
        ("change/active/all", "'active'", "voltage, steady, duration"),
    ],
)
def test_what_is_said_of_a_wrong_name(name: str, found: str, allowed: str) -> None:
    """The sentence has what was found and what is allowed."""
    with pytest.raises(ValueError, match="found") as error:
        parse_result(name)

    assert found in str(error.value)
    assert f"allowed: {allowed}" in str(error.value)
