"""Reading CFG files of the revisions 1991, 1999 and 2013 (IEC 60255-24:2013, clause 7)."""

from __future__ import annotations

from gateway_comtrade.codec.error import excerpt
from gateway_comtrade.codec.line import Line, Lines
from gateway_comtrade.codec.moment import read_code, read_moment
from gateway_comtrade.codec.recording import (
    FORMATS,
    AnalogChannel,
    Format,
    Header,
    Rate,
    StatusChannel,
)

MOST_CHANNELS = 999_999
MOST_RATES = 999
MOST_ROWS = 9_999_999_999
REVISIONS = {"1991": 1991, "1999": 1999, "2001": 1999, "2013": 2013}


def read_cfg(text: str, file: str = "CFG") -> Header:
    """Return what a CFG file says; raises ComtradeError naming line and field."""
    lines = Lines(file, text)
    line = lines.take("station_name,rec_dev_id,rev_year")
    named = line.expect("station_name,rec_dev_id,rev_year", 2, 3) == 3 and line.text(2)
    if named and named not in REVISIONS:
        raise line.error("rev_year", excerpt(named), ", ".join(REVISIONS))
    revision = REVISIONS[named] if named else 1991
    station, device = line.text(0), line.text(1)
    analogs, statuses = _counts(lines.take("TT,##A,##D"))
    analog = tuple(_analog(lines.take("An"), revision) for _ in range(analogs))
    status = tuple(_status(lines.take("Dn")) for _ in range(statuses))
    frequency = lines.take("lf").real(0, "lf", 0.0)
    rates, rows = _rates(lines)
    start, fine = read_moment(lines.take("time of the first row"), "first row", revision)
    trigger, finer = read_moment(lines.take("time of the trigger"), "trigger", revision)
    line = lines.take("ft")
    kind = line.text(0).upper()
    if kind not in FORMATS:
        raise line.error("ft", excerpt(line.text(0)), ", ".join(FORMATS))
    line = lines.maybe()
    timemult = line.real(0, "timemult", 1.0) if revision > 1991 else 1.0
    if timemult <= 0:
        raise line.error("timemult", f"{timemult:g}", "numbers above 0")
    codes, clock = (lines.maybe(), lines.maybe()) if revision >= 2013 else (line, line)
    return Header(
        station,
        device,
        revision,
        analog,
        status,
        frequency,
        rates,
        rows,
        start,
        trigger,
        Format(kind),
        min(fine, finer),
        timemult,
        read_code(codes, 0, "time_code") if revision >= 2013 else None,
        read_code(codes, 1, "local_code") if revision >= 2013 else None,
        _quality(clock) if revision >= 2013 else None,
        clock.integer(1, "leapsec", 0, 3) if revision >= 2013 and clock.text(1) else 3,
    )


def _counts(line: Line) -> tuple[int, int]:
    field = "TT,##A,##D"
    line.expect(field, 3)
    total = line.integer(0, "TT", 0, MOST_CHANNELS)
    counts = []
    for index, letter in ((1, "A"), (2, "D")):
        text = line.text(index)
        plain = Line(line.file, line.number, (text[:-1],))
        if not text.upper().endswith(letter):
            raise line.error(field, excerpt(text), f"a number and {letter}")
        counts.append(plain.integer(0, f"##{letter}", 0, MOST_CHANNELS))
    if sum(counts) != total:
        raise line.error("TT", str(total), f"{counts[0]} + {counts[1]}, which are named behind it")
    return counts[0], counts[1]


def _analog(line: Line, revision: int) -> AnalogChannel:
    whole = line.expect("An,ch_id,…", *((10, 13) if revision == 1991 else (13,))) == 13
    side = line.text(12).upper() if whole else "P"
    if side not in ("P", "S"):
        raise line.error("PS", excerpt(line.text(12)), "P, S")
    return AnalogChannel(
        line.integer(0, "An", 0, MOST_CHANNELS),
        line.text(1),
        line.text(2),
        line.text(3),
        line.text(4),
        line.real(5, "a"),
        line.real(6, "b", 0.0),
        line.real(7, "skew", 0.0),
        line.real(8, "min"),
        line.real(9, "max"),
        line.real(10, "primary", 1.0) if whole else 1.0,
        line.real(11, "secondary", 1.0) if whole else 1.0,
        "S" if side == "S" else "P",
    )


def _status(line: Line) -> StatusChannel:
    count = line.expect("Dn,ch_id,…", 3, 5)
    normal = line.integer(count - 1, "y", 0, 1) if line.text(count - 1) else 0
    names = (line.text(2), line.text(3)) if count == 5 else ("", "")
    number = line.integer(0, "Dn", 0, MOST_CHANNELS)
    return StatusChannel(number, line.text(1), *names, normal)


def _rates(lines: Lines) -> tuple[tuple[Rate, ...], int]:
    line = lines.take("nrates")
    count = line.integer(0, "nrates", 0, MOST_RATES)
    rates: list[Rate] = []
    last = 0
    for _ in range(max(count, 1)):
        line = lines.take("samp,endsamp")
        line.expect("samp,endsamp", 2)
        hertz = line.real(0, "samp", 0.0)
        last = line.integer(1, "endsamp", last + 1, MOST_ROWS)
        if hertz < 0 or (hertz == 0 and count > 1) or 0 < hertz < 1e-6 or hertz > 1e12:
            raise line.error("samp", f"{hertz:g}", "1e-06 to 1e+12 Hz, or 0 where nrates is 0")
        rates.append(Rate(hertz, last))
    stamped = count == 0 or rates[0].hertz == 0
    return () if stamped else tuple(rates), last


def _quality(line: Line) -> int | None:
    text = line.text(0)
    if not text:
        return None
    if len(text) > 1 or text.upper() not in "0123456789ABCDEF":
        raise line.error("tmq_code", excerpt(text), "0 to 9, A to F")
    return int(text, 16)
