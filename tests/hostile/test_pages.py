"""Parquet pages that lie against their own footer: an error, and at most a gigabyte of memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchbench.results.schema import SCORES
from tests.hostile.conftest import SCORE, one_clear_error, write_results

HUGE = (1 << 31) - 1

READ = """
import re, sys
from pathlib import Path
from benchbench.errors import BenchbenchError
from benchbench.results.store import Results
for root in sys.argv[1:]:
    try:
        print("rows", Results(Path(root)).scores().num_rows)
    except BenchbenchError as error:
        print(type(error).__name__, " ".join(error.message.split())[:300])
# ru_maxrss would count what the process that started this one held
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""


def varint(value: int) -> bytes:
    """A number of Thrift's compact protocol: zigzag, seven bits in each byte."""
    value = (value << 1) ^ (value >> 63)
    digits = []
    while True:
        digits.append((value & 0x7F) | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(digits)


def number_at(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), position


def page_header(data: bytes, position: int) -> tuple[list[int], int, int]:
    """The first three numbers of a page's header (kind, unpacked and packed size) and their place."""
    start, numbers = position, []
    for _ in range(3):
        assert data[position] == 0x15  # the next field, a number of 32 bits
        value, position = number_at(data, position + 1)
        numbers.append(value)
    return numbers, start, position


def lying(path: Path, change: Callable[[list[int]], list[int]], **options: Any) -> None:
    """Write a part whose last column has a page with another header."""
    rows = [SCORE | {"cell_id": "c0", "reason": f"reason {n}"} for n in range(2000)]
    schema = SCORES
    table = pa.Table.from_pylist(rows, schema)
    order = [*(name for name in schema.names if name != "reason"), "reason"]
    pq.write_table(table.select(order), path, write_statistics=False, **options)
    data = path.read_bytes()
    group = pq.read_metadata(path).row_group(0)
    column = group.column(group.num_columns - 1)
    offset = column.dictionary_page_offset or column.data_page_offset
    numbers, start, end = page_header(data, offset)
    fresh = b"".join(b"\x15" + varint(value) for value in change(numbers))
    path.write_bytes(data[:start] + fresh + data[end:])


CHANGES: dict[str, Callable[[list[int]], list[int]]] = {
    "unpacked to 2 GB": lambda page: [page[0], HUGE, page[2] - 3],
    "unpacked and packed to 2 GB": lambda page: [page[0], HUGE, HUGE],
    "packed to 2 GB": lambda page: [page[0], page[1], HUGE],
    "unpacked to less than nothing": lambda page: [page[0], -HUGE, page[2] - 3],
    "packed to less than nothing": lambda page: [page[0], page[1], -HUGE],
    "unpacked to nothing": lambda page: [page[0], 0, page[2]],
    "another kind": lambda page: [7, page[1], page[2]],
}


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux does")
@pytest.mark.parametrize("packing", ["none", "snappy", "zstd", "gzip", "lz4", "brotli"])
def test_a_page_that_lies_is_an_error_of_little_memory(tmp_path: Path, packing: str) -> None:
    parts = []
    for number, change in enumerate(CHANGES.values()):
        root = write_results(tmp_path / f"results-{number}", tracks=1).root
        parts += list((root / "scores").rglob("*.parquet"))
        lying(parts[-1], change, compression=packing, use_dictionary=False)
    roots = [str(path) for path in sorted(tmp_path.iterdir())]
    done = subprocess.run(
        [sys.executable, "-c", READ, *roots], capture_output=True, text=True, timeout=60
    )
    one_clear_error(done, 0)
    *said, peak_mb = done.stdout.splitlines()
    assert float(peak_mb) < 1000, done.stdout
    for name, part, line in zip(CHANGES, parts, said, strict=True):
        if (packing, name) == ("none", "unpacked to nothing"):
            assert line == "rows 2000"  # readers need no unpacked size where nothing is packed
            continue
        assert line.startswith("DamagedResultsError"), (name, line)
        assert part.name in line
