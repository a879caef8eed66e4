"""CRC-32C (Castagnoli) in NumPy: fast enough to check 80 MB of weights at every start.

A CRC is linear over GF(2). So the data is cut into lanes of equal length that are run through
the register side by side, and the lanes' results are joined pairwise: running a register on
through n zero bytes is a 32x32 matrix of bits, and its square does 2n.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]

_POLYNOMIAL = np.uint32(0x82F63B78)
_LANE = 1024
_MASK_DELTA = 0xA282EAD8


def crc32c(data: bytes) -> int:
    """CRC-32C of some bytes.

    Parameters
    ----------
    data
        Of any length.

    Returns
    -------
    int
        For instance ``0xE3069283`` for ``b"123456789"``.
    """
    if len(data) < 4:
        short = 0xFFFFFFFF
        for byte in data:
            short = int(_table()[(short ^ byte) & 255]) ^ short >> 8
        return short ^ 0xFFFFFFFF
    # Zeros in front leave an empty register empty; inverting the first four bytes starts it
    # as the definition asks.
    lanes = 1
    while lanes * _LANE < len(data):
        lanes *= 2
    padded = np.zeros(lanes * _LANE, np.uint8)
    start = len(padded) - len(data)
    padded[start:] = np.frombuffer(data, np.uint8)
    padded[start : start + 4] ^= 255
    words = np.ascontiguousarray(padded.view("<u4").reshape(lanes, -1).T)
    register = np.zeros(lanes, np.uint32)
    early, late = _word_tables()
    for word in words:
        register ^= word
        register = early[register & 0xFFFF] ^ late[register >> 16]
    skip = _skip_lane()
    while len(register) > 1:
        register = _apply(skip, register[::2]) ^ register[1::2]
        skip = _apply(skip, skip)
    return int(register[0]) ^ 0xFFFFFFFF


def unmasked(stored: int) -> int:
    """The CRC behind a masked one, as TensorFlow and LevelDB store it."""
    rotated = (stored - _MASK_DELTA) & 0xFFFFFFFF
    return (rotated >> 17 | rotated << 15) & 0xFFFFFFFF


@functools.cache
def _table() -> Words:
    """What each byte in the register becomes after one byte more."""
    table: Words = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> np.uint32(1)) ^ (table & np.uint32(1)) * _POLYNOMIAL
    return table


@functools.cache
def _word_tables() -> tuple[Words, Words]:
    """What the first and the last two bytes in the register become after four bytes more."""
    after = [_table()]
    for _ in range(3):
        after.append(after[0][after[-1] & 255] ^ after[-1] >> 8)
    pairs = np.arange(65_536)
    low, high = pairs & 255, pairs >> 8
    return after[3][low] ^ after[2][high], after[1][low] ^ after[0][high]


@functools.cache
def _skip_lane() -> Words:
    """Images of the 32 single bits after as many zero bytes as a lane has."""
    table = _table()
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    skip: Words = table[bits & 255] ^ bits >> 8
    for _ in range(_LANE.bit_length() - 1):
        skip = _apply(skip, skip)
    return skip


def _apply(matrix: Words, registers: Words) -> Words:
    """A matrix, given by the images of single bits, times each register."""
    result = np.zeros_like(registers)
    for bit, image in enumerate(matrix):
        result ^= (registers >> np.uint32(bit) & np.uint32(1)) * image
    return result
