"""IDX files: what is read equals what was written, and damage is named."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.forms.idx import opened_values, read_header, read_range, write_idx, write_idx_parts

IMAGES = np.random.default_rng(1).integers(0, 256, (40, 28, 28), np.uint8)


@pytest.fixture(params=["plain", "gzip"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    made = tmp_path / "images"
    write_idx(made, IMAGES)
    if request.param == "gzip":  # under the same name: the content decides
        made.write_bytes(gzip.compress(made.read_bytes()))
    return made


def test_bytes_are_those_of_the_format(tmp_path: Path) -> None:
    write_idx(tmp_path / "x", np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    expected = b"\0\0\x08\x02" + struct.pack(">II", 2, 3) + bytes([1, 2, 3, 4, 5, 6])
    assert (tmp_path / "x").read_bytes() == expected


def test_values_follow_the_array_not_its_memory(tmp_path: Path) -> None:
    turned = IMAGES.transpose(2, 1, 0)
    write_idx(tmp_path / "x", turned)
    np.testing.assert_array_equal(read_range(tmp_path / "x", 0, 28), turned)


def test_parts_make_the_same_file_as_the_whole(tmp_path: Path) -> None:
    write_idx(tmp_path / "whole", IMAGES)
    write_idx_parts(tmp_path / "parts", IMAGES.shape, iter([IMAGES[:7], IMAGES[7:7], IMAGES[7:]]))
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ([IMAGES[:7]], "was given 7 items, expected 40"),
        ([IMAGES, IMAGES[:1]], "was given 41 items, expected 40"),
        ([IMAGES[:, :27]], r"cannot write uint8 of shape \(40, 27, 28\)"),
        ([IMAGES / 255], "cannot write float64"),
    ],
)
def test_parts_that_are_not_what_the_header_says(
    tmp_path: Path, parts: list[np.ndarray], problem: str
) -> None:
    with pytest.raises(DataError, match=problem):
        write_idx_parts(tmp_path / "parts", IMAGES.shape, parts)
    assert list(tmp_path.iterdir()) == []


def read_whole(path: Path, part_bytes: int = 1 << 20) -> list[bytes]:
    """Returns the values in the parts that `opened_values` yields."""
    with opened_values(path, part_bytes) as (_, parts):
        return list(parts)


@pytest.mark.parametrize("part_bytes", [1, 784, 1000, 31_360, 1 << 20])
def test_header_and_all_values(path: Path, part_bytes: int) -> None:
    with opened_values(path, part_bytes) as (header, parts):
        lengths = [len(part) for part in parts]
    assert header == read_header(path)
    assert (header.dtype, header.shape) == (np.uint8, (40, 28, 28))
    assert set(lengths[:-1]) <= {part_bytes} and sum(lengths) == IMAGES.size
    assert b"".join(read_whole(path, part_bytes)) == IMAGES.tobytes()


def test_without_items(tmp_path: Path) -> None:
    for shape in ((0, 28, 28), (3, 0, 28)):
        write_idx(tmp_path / "x", np.zeros(shape, np.uint8))
        assert read_whole(tmp_path / "x") == []


@pytest.mark.parametrize(("start", "stop"), [(0, 40), (0, 1), (39, 40), (7, 23), (5, 5), (40, 40)])
def test_range_equals_the_same_part_of_the_whole(path: Path, start: int, stop: int) -> None:
    part = read_range(path, start, stop)
    assert part.dtype == np.uint8
    np.testing.assert_array_equal(part, IMAGES[start:stop])


def test_range_longer_than_one_chunk(tmp_path: Path) -> None:
    values = np.arange(3 << 20, dtype=np.uint32).astype(np.uint8)
    write_idx(tmp_path / "x", values)
    np.testing.assert_array_equal(read_range(tmp_path / "x", 1, 3 << 20), values[1:])


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (5, 4), (0, 41)])
def test_range_outside_the_file(path: Path, start: int, stop: int) -> None:
    with pytest.raises(DataError, match=rf"images: items \[{start}, {stop}\).* holds 40"):
        read_range(path, start, stop)


@pytest.mark.parametrize("change", [-1, 1])
def test_length_other_than_the_header_says(path: Path, change: int) -> None:
    whole = gzip.decompress(path.read_bytes()) if path.read_bytes()[0] else path.read_bytes()
    damaged = whole[:change] if change < 0 else whole + b"\0"
    path.write_bytes(gzip.compress(damaged) if path.read_bytes()[0] else damaged)
    word = "cut short" if change < 0 else "too long"
    with pytest.raises(DataError, match=rf"holds .* expected 31376 for the shape \(40.*{word}"):
        read_whole(path)


def test_range_within_a_short_file(tmp_path: Path) -> None:
    write_idx(tmp_path / "x", IMAGES)
    (tmp_path / "x").write_bytes((tmp_path / "x").read_bytes()[:-100])
    np.testing.assert_array_equal(read_range(tmp_path / "x", 0, 39), IMAGES[:39])
    with pytest.raises(DataError, match="ends after 684 of the 784 bytes"):
        read_range(tmp_path / "x", 39, 40)


def test_header_that_claims_terabytes(tmp_path: Path) -> None:
    huge = 2**32 - 1
    (tmp_path / "x").write_bytes(b"\0\0\x08\x03" + struct.pack(">III", huge, huge, 28) + b"\1")
    with pytest.raises(DataError, match="ends after 1 of"):
        read_range(tmp_path / "x", 0, huge)


def test_truncated_gzip(tmp_path: Path) -> None:
    write_idx(tmp_path / "x", IMAGES)
    packed = gzip.compress((tmp_path / "x").read_bytes())
    (tmp_path / "x.gz").write_bytes(packed[: len(packed) // 2])
    for operation in (read_whole, lambda path: read_range(path, 0, 40)):
        with pytest.raises(DataError, match=r"x\.gz: expected a whole gzip file .* fetch it again"):
            operation(tmp_path / "x.gz")


@pytest.mark.parametrize("position", [-6, 5000, 2])
def test_gzip_with_a_flipped_byte(tmp_path: Path, position: int) -> None:
    """In the CRC, in the deflate stream, and in the header's method."""
    write_idx(tmp_path / "x", IMAGES)
    packed = bytearray(gzip.compress((tmp_path / "x").read_bytes()))
    packed[position] ^= 0xFF
    (tmp_path / "x.gz").write_bytes(packed)
    with pytest.raises(DataError, match="expected a whole gzip file"):
        read_whole(tmp_path / "x.gz")


@pytest.mark.parametrize(
    "content", [b"", b"\0\0\x08", b"<html>not found</html>", b"\0\1\x08\1\0\0\0\0", b"\0\0\x08\0"]
)
def test_wrong_magic(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    shown = content[:4].hex(" ") or r"\(none\)"
    with pytest.raises(DataError, match=f"starts with bytes {shown}, expected an IDX file"):
        read_header(tmp_path / "x")


@pytest.mark.parametrize(
    ("code", "dtype"), [(0x0D, "float32"), (0x0E, "float64"), (0x42, "unknown")]
)
def test_wrong_dtype_is_named(tmp_path: Path, code: int, dtype: str) -> None:
    (tmp_path / "x").write_bytes(bytes([0, 0, code, 1, 0, 0, 0, 0]))
    with pytest.raises(DataError, match=rf"dtype is {dtype} \(code 0x{code:02x}\), expected uint8"):
        read_header(tmp_path / "x")


def test_cut_header(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\0\0\x08\x03\0\0\0\1\0\0")
    with pytest.raises(DataError, match="ends inside its header of 3 dimensions"):
        read_header(tmp_path / "x")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"cannot read {tmp_path / 'none'}"):
        read_header(tmp_path / "none")


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros((), np.uint8), np.zeros(3, np.int64)])
def test_only_whole_numbers_with_dimensions_are_written(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(DataError, match="expected uint8, int8, int16 or int32 with 1 to 255 dim"):
        write_idx(tmp_path / "x", array)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int32])
def test_labels_of_other_dtypes(tmp_path: Path, dtype: type) -> None:
    values = np.array([[1, 2], [np.iinfo(dtype).max, np.iinfo(dtype).min]], dtype)
    write_idx(tmp_path / "x", values)
    found = read_range(tmp_path / "x", 0, 2)
    assert found.dtype.newbyteorder("=") == dtype
    np.testing.assert_array_equal(found, values)
    assert b"".join(read_whole(tmp_path / "x")) == values.astype(found.dtype).tobytes()


def test_failed_writing_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(DataError, match="cannot write .*taken"):
        write_idx(tmp_path / "taken", IMAGES)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
