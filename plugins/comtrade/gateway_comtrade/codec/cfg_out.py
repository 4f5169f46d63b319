"""Writing CFG files of the revisions 1999 and 2013."""

from __future__ import annotations

from gateway_comtrade.codec.error import ComtradeError, excerpt
from gateway_comtrade.codec.moment import write_code, write_moment
from gateway_comtrade.codec.recording import Format, Header

END = "\r\n"


def write_cfg(header: Header, file: str = "CFG") -> str:
    """Return the CFG file; raises ComtradeError where the revision has no words for it."""
    _check(header, file)
    first = [_name(header.station, "station_name", file), _name(header.device, "rec_dev_id", file)]
    analogs, statuses = len(header.analog), len(header.status)
    lines = [
        ",".join([*first, str(header.revision)]),
        f"{analogs + statuses},{analogs}A,{statuses}D",
    ]
    for one in header.analog:
        names = (one.name, one.phase, one.circuit, one.unit)
        numbers = (one.a, one.b, one.skew, one.low, one.high, one.primary, one.secondary)
        cells = [_name(text, f"channel {one.number}", file) for text in names]
        lines.append(",".join([str(one.number), *cells, *map(number, numbers), one.side]))
    for two in header.status:
        labels = (two.name, two.phase, two.circuit)
        cells = [_name(text, f"status channel {two.number}", file) for text in labels]
        lines.append(",".join([str(two.number), *cells, str(two.normal)]))
    lines += [number(header.frequency), str(len(header.rates))]
    lines += [f"{number(rate.hertz)},{rate.last}" for rate in header.rates] or [f"0,{header.rows}"]
    lines += [write_moment(time, header.resolution) for time in (header.start, header.trigger)]
    lines += [header.format.value, number(header.timemult)]
    if header.revision >= 2013:
        lines.append(f"{write_code(header.time_code)},{write_code(header.local_code)}")
        lines.append(f"{15 if header.quality is None else header.quality:X},{header.leap}")
    return END.join(lines) + END


def _check(header: Header, file: str) -> None:
    if header.revision not in (1999, 2013):
        raise ComtradeError(file, 1, "rev_year", str(header.revision), "1999, 2013")
    if header.revision < 2013:
        since = f"the revision of 2013, or that of {header.revision} without it"
        if header.format in (Format.BINARY32, Format.FLOAT32):
            raise ComtradeError(file, "", "ft", header.format.value, since)
        if header.time_code or header.local_code:
            raise ComtradeError(file, "", "time_code", write_code(header.time_code), since)
    if header.rates and header.rates[-1].last != header.rows:
        last = header.rates[-1].last
        raise ComtradeError(file, "", "endsamp", str(last), f"{header.rows}, the rows")


def number(value: float) -> str:
    """Write a number so that it is read back as it was."""
    text = repr(float(value))
    return text[:-2] if text.endswith(".0") else text


def _name(text: str, field: str, file: str) -> str:
    if "," in text or not text.isprintable() or len(text) > 128:
        allowed = "up to 128 characters without comma or control characters"
        raise ComtradeError(file, "", field, excerpt(text), allowed)
    return text
