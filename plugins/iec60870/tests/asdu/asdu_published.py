"""ASDUs written by hand from the figures of 101:2003 and 104:2006, and what they say.

The head of each is that of figure 101-9 with the sizes of 104; the time of CP56 is Tuesday,
2023-11-14 22:13:20.123 (figure of 101 clause 7.2.6.18): 20123 ms are 0x4E9B, minute 13 is 0x0D,
hour 22 is 0x16, day 14 with day of week 2 is 0x4E, month 11 is 0x0B, year 23 is 0x17.
"""

from __future__ import annotations

from gateway_iec60870 import asdu as codec
from gateway_iec60870.asdu import (
    GENERAL,
    NO_TIME,
    Acknowledgement,
    Activation,
    Call,
    ClockSynchronisation,
    CounterInterrogation,
    DelayAcquisition,
    Directory,
    DirectoryEntry,
    EndOfInitialisation,
    File,
    FileReady,
    Interrogation,
    LastSegment,
    Parameter,
    QueryLog,
    ReadRequest,
    Reset,
    SectionReady,
    Segment,
    System,
    TimedTest,
)

TIME = 1_700_000_000_123
CP56 = "9B 4E 0D 16 4E 0B 17"
CP24 = "9B 4E 0D"
HOUR = 13 * 60_000 + 20_123
N = NO_TIME

# type, elements, value, flags, time, clock, extra; elements of 101 clause 7.2.6 in the order of
# clause 7.3.1
MEASUREMENTS = [
    # SIQ (7.2.6.1): SPI bit 1, BL 5, SB 6, NT 7, IV 8; bits 2 to 4 are reserved
    (1, "01", 1, 0x00, N, 0, 0),
    (1, "10", 0, 0x10, N, 0, 0),
    (1, "2F", 1, 0x20, N, 0, 0),
    (1, "C1", 1, 0xC0, N, 0, 0),
    (2, f"81 {CP24}", 1, 0x80, HOUR, 0, 0),
    (30, f"01 {CP56}", 1, 0x00, TIME, 0, 0),
    # DIQ (7.2.6.2): DPI bits 1 and 2
    (3, "00", 0, 0x00, N, 0, 0),
    (3, "11", 1, 0x10, N, 0, 0),
    (3, "22", 2, 0x20, N, 0, 0),
    (3, "CF", 3, 0xC0, N, 0, 0),
    (4, f"42 {CP24}", 2, 0x40, HOUR, 0, 0),
    (31, f"02 {CP56}", 2, 0x00, TIME, 0, 0),
    # VTI (7.2.6.5): seven bits of two's complement, transient bit 8; QDS (7.2.6.3): OV bit 1
    (5, "3F 00", 63, 0x00, N, 0, 0),
    (5, "40 01", -64, 0x01, N, 0, 0),
    (5, "FF 8E", -1, 0x80, N, 0, 1),
    (5, "80 10", 0, 0x10, N, 0, 1),
    (6, f"01 00 {CP24}", 1, 0x00, HOUR, 0, 0),
    (32, f"7E 40 {CP56}", -2, 0x40, TIME, 0, 0),
    # BSI (7.2.6.13): bit 1 is the lowest bit of the first octet
    (7, "78 56 34 12 21", 0x12345678, 0x21, N, 0, 0),
    (8, f"FF FF FF FF 00 {CP24}", 0xFFFFFFFF, 0x00, HOUR, 0, 0),
    (33, f"00 00 00 80 00 {CP56}", 0x80000000, 0x00, TIME, 0, 0),
    # NVA (7.2.6.6): 2^-15 in the lowest bit
    (9, "00 40 00", 0.5, 0x00, N, 0, 0),
    (9, "00 80 01", -1, 0x01, N, 0, 0),
    (9, "FF 7F 10", 32767 / 32768, 0x10, N, 0, 0),
    (10, f"01 00 00 {CP24}", 1 / 32768, 0x00, HOUR, 0, 0),
    (34, f"FF FF F1 {CP56}", -1 / 32768, 0xF1, TIME, 0, 0),
    # SVA (7.2.6.7)
    (11, "18 FC 40", -1000, 0x40, N, 0, 0),
    (12, f"FF 7F 00 {CP24}", 32767, 0x00, HOUR, 0, 0),
    (35, f"00 80 00 {CP56}", -32768, 0x00, TIME, 0, 0),
    # R32 (7.2.6.8): 10.0 is 0x41200000, -0.15625 is 0xBE200000
    (13, "00 00 20 41 00", 10, 0x00, N, 0, 0),
    (14, f"00 00 20 BE 80 {CP24}", -0.15625, 0x80, HOUR, 0, 0),
    (36, f"00 00 80 7F 00 {CP56}", float("inf"), 0x00, TIME, 0, 0),
    # BCR (7.2.6.9): sequence number bits 1 to 5, CY 6, CA 7, IV 8
    (15, "FF FF FF FF E5", -1, 0xE0, N, 0, 5),
    (16, f"FF FF FF 7F 3F {CP24}", 2147483647, 0x20, HOUR, 0, 31),
    (37, f"00 00 00 80 40 {CP56}", -2147483648, 0x40, TIME, 0, 0),
    # SEP (7.2.6.10): ES bits 1 and 2, EI 4; then CP16 (7.2.6.20): 10000 ms are 0x2710
    (17, f"0A 10 27 {CP24}", 2, 0x08, HOUR, 0, 10000),
    (38, f"81 5F EA {CP56}", 1, 0x80, TIME, 0, 59999),
    # SPE (7.2.6.11): GS, SL1 to SL3, SIE, SRD; QDP (7.2.6.4): EI bit 4
    (18, f"3F 88 10 27 {CP24}", 63, 0x88, HOUR, 0, 10000),
    (39, f"05 77 00 00 {CP56}", 5, 0x70, TIME, 0, 0),
    # OCI (7.2.6.12): GC, CL1 to CL3
    (19, f"FF 08 10 27 {CP24}", 15, 0x08, HOUR, 0, 10000),
    (40, f"02 00 01 00 {CP56}", 2, 0x00, TIME, 0, 1),
    # SCD (7.2.6.40): 16 states, then 16 detected changes; QDS
    (20, "01 80 03 40 31", 0x8001, 0x31, N, 0, 0x4003),
    # NVA without quality
    (21, "00 C0", -0.5, 0x00, N, 0, 0),
    # The flags of a time: IV and GEN stand above the minute, SU above the hour
    (30, "01 9B 4E 8D 16 4E 0B 17", 1, 0x00, TIME, 0x80, 0),
    (30, "01 9B 4E 0D 96 4E 0B 17", 1, 0x00, TIME, 0x40, 0),
    (30, "01 9B 4E 4D 16 4E 0B 17", 1, 0x00, TIME, 0x20, 0),
    (30, "01 9B 4E CD 96 4E 0B 17", 1, 0x00, TIME, 0xE0, 0),
    (2, "01 9B 4E CD", 1, 0x00, HOUR, 0xA0, 0),
]

RESERVED = {(1, "2F"), (3, "CF"), (5, "FF 8E"), (39, f"05 77 00 00 {CP56}")}
RESERVED |= {(19, f"FF 08 10 27 {CP24}")}
"""Those with bits that the standard reserves: read, and never written."""


def asdu(kind: int, objects: str, structure: int = 1, cause: int = 3) -> bytes:
    """An ASDU of 104: type, structure, cause, originator 0, common address 10, objects."""
    return bytes.fromhex(f"{kind:02X} {structure:02X} {cause:02X} 00 0A 00 {objects}")


COMMANDS = [
    # SCO (7.2.6.15): SCS bit 1, QU (7.2.6.26) bits 3 to 7, S/E bit 8
    (45, "01", 1, False, 0, N, 0),
    (45, "84", 0, True, 1, N, 0),
    (45, "7D", 1, False, 31, N, 0),
    (58, f"0C {CP56}", 0, False, 3, TIME, 0),
    # DCO (7.2.6.16): 1 off, 2 on
    (46, "01", 1, False, 0, N, 0),
    (46, "8A", 2, True, 2, N, 0),
    (46, "03", 3, False, 0, N, 0),
    (59, f"02 {CP56}", 2, False, 0, TIME, 0),
    # RCO (7.2.6.17): 1 lower, 2 higher
    (47, "02", 2, False, 0, N, 0),
    (60, f"81 {CP56}", 1, True, 0, TIME, 0),
    # NVA, SVA, R32 with QOS (7.2.6.39): QL bits 1 to 7, S/E bit 8
    (48, "00 40 00", 0.5, False, 0, N, 0),
    (48, "00 80 FF", -1, True, 127, N, 0),
    (61, f"FF 7F 01 {CP56}", 32767 / 32768, False, 1, TIME, 0),
    (49, "18 FC 80", -1000, True, 0, N, 0),
    (62, f"FF 7F 02 {CP56}", 32767, False, 2, TIME, 0),
    (50, "00 00 20 41 00", 10, False, 0, N, 0),
    (63, f"00 00 20 BE 83 {CP56}", -0.15625, True, 3, TIME, 0),
    # BSI without a qualifier
    (51, "78 56 34 12", 0x12345678, False, 0, N, 0),
    (64, "FF FF FF FF 9B 4E 8D 96 4E 0B 17", 0xFFFFFFFF, False, 0, TIME, 0xC0),
]
"""Type, elements, value, select, qualifier, time, clock (101 clause 7.3.2, 104 clause 8)."""

SYSTEM: list[tuple[str, System]] = [
    # M_EI_NA_1 (101 clause 7.3.3.1), COI (7.2.6.21): cause bits 1 to 7, change of parameters bit 8
    ("00 00 00 00", EndOfInitialisation()),
    ("00 00 00 82", EndOfInitialisation(2, True)),
    ("01 00 00 7F", EndOfInitialisation(127, False, 1)),
    # C_IC_NA_1 (7.3.4.1), QOI (7.2.6.22): 20 station, 21 group 1
    ("00 00 00 14", Interrogation()),
    ("00 00 00 24", Interrogation(36)),
    ("01 00 00 00", Interrogation(0, 1)),
    # C_CI_NA_1 (7.3.4.2), QCC (7.2.6.23): RQT bits 1 to 6, FRZ bits 7 and 8
    ("00 00 00 05", CounterInterrogation()),
    ("00 00 00 45", CounterInterrogation(GENERAL, 1)),
    ("00 00 00 81", CounterInterrogation(1, 2)),
    ("02 00 00 FF", CounterInterrogation(63, 3, 2)),
    # C_RD_NA_1 (7.3.4.3)
    ("05 01 02", ReadRequest(0x020105)),
    # C_CS_NA_1 (7.3.4.4)
    (f"00 00 00 {CP56}", ClockSynchronisation(TIME)),
    ("00 00 00 9B 4E CD 96 4E 0B 17", ClockSynchronisation(TIME, 0xE0)),
    # C_TS_NA_1 (7.3.4.5), FBP (7.2.6.14): 0x55AA
    ("00 00 00 AA 55", codec.Test()),
    ("00 00 00 55 AA", codec.Test(0xAA55)),
    # C_RP_NA_1 (7.3.4.6), QRP (7.2.6.27)
    ("00 00 00 01", Reset()),
    ("00 00 00 02", Reset(2)),
    # C_CD_NA_1 (7.3.4.7), CP16 (7.2.6.20)
    ("00 00 00 10 27", DelayAcquisition(10000)),
    ("00 00 00 FF FF", DelayAcquisition(65535)),
    # C_TS_TA_1 (104 clause 8.8): TSC, CP56
    (f"00 00 00 34 12 {CP56}", TimedTest(0x1234, TIME)),
    ("00 00 00 00 00 9B 4E 8D 16 4E 0B 17", TimedTest(0, TIME, 0x80)),
]

PARAMETERS: list[tuple[str, Parameter | Activation]] = [
    # P_ME_NA_1 to P_ME_NC_1 (7.3.5.1 to .3), QPM (7.2.6.24): KPA bits 1 to 6, LPC 7, POP 8
    ("05 00 00 00 40 01", Parameter(110, 5, 0.5, 1)),
    ("05 00 00 00 80 C4", Parameter(110, 5, -1, 0xC4)),
    ("05 00 00 18 FC 02", Parameter(111, 5, -1000, 2)),
    ("05 00 00 00 00 20 41 03", Parameter(112, 5, 10, 3)),
    # P_AC_NA_1 (7.3.5.4), QPA (7.2.6.25)
    ("05 00 00 03", Activation(5)),
    ("05 00 00 01", Activation(5, 1)),
]

FILES: list[tuple[str, File]] = [
    # F_FR_NA_1: NOF (7.2.6.33), LOF (.35), FRQ (.28)
    ("05 00 00 02 01 56 34 12 00", FileReady(5, 0x0102, 0x123456)),
    ("05 00 00 02 01 00 00 00 80", FileReady(5, 0x0102, 0, 0x80)),
    # F_SR_NA_1: NOF, NOS (.34), LOF, SRQ (.29)
    ("05 00 00 01 00 02 FF FF FF 00", SectionReady(5, 1, 2, 0xFFFFFF)),
    ("05 00 00 01 00 02 00 01 00 80", SectionReady(5, 1, 2, 256, 0x80)),
    # F_SC_NA_1: NOF, NOS, SCQ (.30)
    ("05 00 00 01 00 00 01", Call(5, 1, 0, 1)),
    ("05 00 00 01 00 03 26", Call(5, 1, 3, 0x26)),
    # F_LS_NA_1: NOF, NOS, LSQ (.31), CHS (.37)
    ("05 00 00 01 00 02 03 7F", LastSegment(5, 1, 2, 3, 0x7F)),
    # F_AF_NA_1: NOF, NOS, AFQ (.32)
    ("05 00 00 01 00 02 13", Acknowledgement(5, 1, 2, 0x13)),
    # F_SG_NA_1: NOF, NOS, LOS (.36), segment
    ("05 00 00 01 00 02 03 AA BB CC", Segment(5, 1, 2, b"\xaa\xbb\xcc")),
    ("05 00 00 01 00 02 00", Segment(5, 1, 2, b"")),
    # F_SC_NB_1: NOF, start and stop of the range
    (f"05 00 00 01 00 {CP56} 83 52 8D 96 4E 0B 17", QueryLog(5, 1, TIME, TIME + 1000, 0, 0xC0)),
]

# F_DR_TA_1: NOF, LOF, SOF (.38), CP56 of each file, SQ = 1
FIRST = f"01 00 56 34 12 00 {CP56}"
LAST = f"02 00 00 00 00 E0 {CP56}"
DIRECTORY = Directory(5, (DirectoryEntry(1, 0x123456, 0, TIME), DirectoryEntry(2, 0, 0xE0, TIME)))
