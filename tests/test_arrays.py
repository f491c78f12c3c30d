"""Arrays from files of anybody: what numpy writes is read, and everything else is refused in half a sentence."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from masque.arrays import ArrayError, read_npy, read_npz
from robustness import mutations

ROWS = np.random.default_rng(0).normal(size=(5, 4, 2))


@pytest.mark.parametrize("kind", ["<f4", ">f8", "<f2", "<i4", "|u1", ">i2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_whatever_kind_of_number_and_order_numpy_writes_is_read(tmp_path: Path, kind: str, order: str) -> None:
    path, values = tmp_path / "a.npy", np.array(ROWS * 10, dtype=kind, order=order)  # type: ignore[call-overload]
    np.save(path, values)
    read = read_npy(path, ("N", 4, 2))
    assert read.dtype == np.float32
    assert read.flags.c_contiguous
    assert read.flags.writeable
    np.testing.assert_array_equal(read, np.load(path).astype(np.float32))


def test_headers_of_other_writers_and_versions_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    body = ROWS.astype("<f4").tobytes()
    for version in (1, 2, 3):
        text = b'{"shape":(5L, 4L,2) ,"fortran_order": False,"descr":"<f4"}'
        path.write_bytes(
            b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2 if version == 1 else 4, "little") + text + body
        )
        np.testing.assert_array_equal(read_npy(path, (5, 4, "any")), ROWS.astype("<f4"))


def test_named_arrays_alone_are_read_of_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, rows=ROWS, other=np.array([{}], dtype=object), spare=np.zeros(3))
    read = read_npz(path, {"rows": ("N", 4, 2), "lacking": (1,)}, np.float64)
    assert list(read) == ["rows"]
    np.testing.assert_array_equal(read["rows"], ROWS)
    np.savez(path, rows=ROWS)
    np.testing.assert_array_equal(read_npz(path, {"rows": (5, 4, 2)}, np.float64)["rows"], ROWS)


def test_a_file_that_is_not_what_it_says_is_refused_in_half_a_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.npy"
    for name, data in mutations.of_npy(ROWS):
        path.write_bytes(data)
        with pytest.raises(ArrayError) as caught:
            read_npy(path, ("N", 4, 2))
        assert mutations.is_plain(str(caught.value)), name
    assert capfd.readouterr() == ("", "")


def test_so_is_a_damaged_archive(tmp_path: Path) -> None:
    path, arrays = tmp_path / "a.npz", {"rows": ROWS, "mean": ROWS[0]}
    for name, data in mutations.of_npz(arrays):
        path.write_bytes(data)
        said = ""
        try:
            read = read_npz(path, {"rows": ("N", 4, 2), "mean": (4, 2)}, np.float64)
        except ArrayError as error:
            said = str(error)
        if said:
            assert mutations.is_plain(said), name
        else:  # a wrong note on the archive that says nothing of the numbers
            assert ":" not in name, name
            assert all((value == arrays[key]).all() for key, value in read.items()), name


def test_random_damage_is_refused_or_the_numbers_are_right(tmp_path: Path) -> None:
    path, arrays = tmp_path / "a.npz", {"rows": ROWS, "mean": ROWS[0]}
    whole = mutations.archive({name: mutations.npy(array) for name, array in arrays.items()})
    right = 0
    for name, data in mutations.of_bytes(whole, 300):
        path.write_bytes(data)
        try:
            read = read_npz(path, {"rows": ("N", 4, 2), "mean": (4, 2)}, np.float64)
        except ArrayError:
            continue
        right += 1
        assert all((value == arrays[key]).all() for key, value in read.items()), name
    assert right < 150


def test_a_declared_size_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((1000, 4, 2)))
    np.savez_compressed(tmp_path / "a.npz", rows=np.zeros((1000, 4, 2)))
    with pytest.raises(ArrayError, match="declares"):
        read_npy(tmp_path / "a.npy", ("N", 4, 2), largest=10_000)
    with pytest.raises(ArrayError, match="declares"):
        read_npz(tmp_path / "a.npz", {"rows": ("N", 4, 2)}, largest=10_000)
    with pytest.raises(ArrayError, match="MB"):
        read_npz(tmp_path / "a.npz", {"rows": ("N", 4, 2)}, largest=100)


def test_numbers_that_the_wanted_kind_cannot_hold_are_not_finite(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full(3, 1e200))
    assert read_npy(tmp_path / "a.npy", (3,), np.float64)[0] == 1e200
    with pytest.raises(ArrayError, match="not finite"):
        read_npy(tmp_path / "a.npy", (3,))


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for odd in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ArrayError, match="not a file"):
            read_npy(odd, (3,))
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "none", {"a": (3,)})


def test_running_out_of_memory_is_not_the_files_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    np.savez(tmp_path / "a.npz", rows=ROWS)
    monkeypatch.setattr(np, "frombuffer", full)
    with pytest.raises(MemoryError):
        read_npz(tmp_path / "a.npz", {"rows": ("N", 4, 2)})
