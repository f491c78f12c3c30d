"""Frame sets from prepared folders and puppets: the same pixels and truth whichever way they come into memory."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from masque.data import frames as module
from masque.data.frames import FrameSet, load_frames
from masque.data.prepared import BACKGROUND, open_prepared
from masque.data.puppets import puppets
from masque.errors import DataError

NAMES = ("Smiling", "Male", "Wearing_Hat")


def same(a: FrameSet, b: FrameSet) -> bool:
    arrays = ("frames", "masks", "landmarks", "attributes")
    rest = ("attribute_names", "identities", "splits", "sources", "scale")
    return all(np.array_equal(getattr(a, n), getattr(b, n), equal_nan=n == "attributes") for n in arrays) and all(
        getattr(a, n) == getattr(b, n) for n in rest
    )


def test_puppets_are_the_rendered_world():
    loaded = load_frames(["puppets:21"], 64, NAMES)
    truth = list(puppets(21, seed=0, scale=0.5))
    for index, made in enumerate(truth):
        assert np.array_equal(loaded.frames[index], made.picture)
        assert np.array_equal(loaded.masks[index] == BACKGROUND, made.background > 127)
        assert np.array_equal(loaded.landmarks[index], made.landmarks)
        assert (
            loaded.attributes[index, :2].tolist()
            == np.float32([made.attributes["Smiling"], made.attributes["Male"]]).tolist()
        )
    assert np.isnan(loaded.attributes[:, 2]).all()
    assert loaded.scale == 0.5
    people = {
        split: {i for i, s in zip(loaded.identities, loaded.splits, strict=True) if s == split}
        for split in ("train", "test")
    }
    assert people["test"]
    assert not people["train"] & people["test"]
    assert len(people["train"] | people["test"]) == 6


def test_a_prepared_folder_at_its_own_size(prepared_folder):
    opened = open_prepared(prepared_folder)
    loaded = load_frames([str(prepared_folder)], 64, NAMES)
    assert len(loaded) == 4
    for index in range(4):
        assert np.array_equal(loaded.frames[index], opened.frame(index))
        assert np.array_equal(loaded.masks[index], opened.mask(index))
    assert np.array_equal(loaded.landmarks, opened.landmarks)
    assert np.array_equal(loaded.attributes, opened.attributes(NAMES), equal_nan=True)
    assert loaded.splits == ("train", "test", "test", "test")
    assert loaded.sources == tuple(row.source for row in opened.rows)
    assert loaded.indices("test").tolist() == [1, 2, 3]


def test_a_prepared_folder_at_a_smaller_size_shows_the_same(prepared_folder):
    full, half = load_frames([str(prepared_folder)], 64, NAMES), load_frames([str(prepared_folder)], 32, NAMES)
    assert half.frames.shape == (4, 54, 44, 3)
    assert set(np.unique(half.masks)) <= set(np.unique(full.masks))
    for index in range(4):
        coarse = full.frames[index, :108, :88].reshape(54, 2, 44, 2, 3).mean(axis=(1, 3))
        assert np.abs(half.frames[index] - coarse).mean() < 5
    np.testing.assert_allclose(half.landmarks, (full.landmarks + 0.5) / 2 - 0.5, atol=1e-4)


def test_larger_than_prepared_is_refused(prepared_folder):
    with pytest.raises(DataError, match=r"64 px and 128.*--size 128"):
        load_frames([str(prepared_folder)], 128, NAMES)


def test_splits_that_are_asked_for(prepared_folder):
    assert load_frames([str(prepared_folder)], 64, NAMES, ("test",)).splits == ("test",) * 3
    assert set(load_frames(["puppets:21"], 32, NAMES, ("train",)).splits) == {"train"}
    with pytest.raises(DataError, match=r"validation.*--held-out"):
        load_frames([str(prepared_folder)], 64, NAMES, ("validation",))


def test_a_set_without_the_split_is_left_out_beside_one_that_has_it(prepared_folder):
    alone, beside = (
        load_frames(data, 64, NAMES, ("test",))
        for data in ([str(prepared_folder)], [str(prepared_folder), "puppets:4"])
    )
    assert alone.fingerprint() == beside.fingerprint()
    with pytest.raises(DataError, match=r"puppets:4 and puppets:3 .* for test"):
        load_frames(["puppets:4", "puppets:3"], 64, NAMES, ("test",))


def test_several_sets_are_joined_in_order(prepared_folder):
    first, second = load_frames([str(prepared_folder)], 32, NAMES), load_frames(["puppets:5"], 32, NAMES)
    joined = load_frames([str(prepared_folder), "puppets:5"], 32, NAMES)
    assert joined.identities == (*first.identities, *second.identities)  # those of the first set: its place is the same
    for part, rows in ((first, slice(0, 4)), (second, slice(4, 9))):
        cut = {
            n: getattr(joined, n)[rows]
            for n in ("frames", "masks", "landmarks", "attributes", "identities", "splits", "sources")
        }
        assert same(dataclasses.replace(joined, **cut), part)
    assert len(joined) == 9


@pytest.fixture
def two_sets(tmp_path, puppet_files):
    """Two sets in different folders, both called prepared, each of an anna and a bo with two pictures."""
    from masque.data.journal import PrepareSettings
    from masque.data.prepare import prepare

    for name, (first, second) in (("lfw", puppet_files[:2]), ("casia", puppet_files[2:4])):
        for person, file in (("anna", first), ("bo", second)):
            (tmp_path / "source" / name / person).mkdir(parents=True)
            for copy in ("1.png", "2.png"):
                shutil.copy(file, tmp_path / "source" / name / person / copy)
        (tmp_path / name).mkdir()
        prepare(
            tmp_path / "source" / name, tmp_path / name / "prepared", PrepareSettings(size=32, held_out=0), workers=1
        )
    return [str(tmp_path / name / "prepared") for name in ("lfw", "casia")]


def test_people_of_two_sets_are_different_people_though_both_have_one_name(two_sets):
    joined = load_frames(two_sets, 32, NAMES)
    assert joined.people().tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    again = load_frames([*two_sets, two_sets[0]], 32, NAMES)  # the same set twice is of the same people
    assert again.people().tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 0, 0, 1, 1]
    link = Path(two_sets[0]).parent / "link"
    link.symlink_to(two_sets[0])
    assert load_frames([two_sets[0], str(link)], 32, NAMES).people().tolist() == [0, 0, 1, 1] * 2
    assert len(set(load_frames([*two_sets, "puppets:12", "puppets:12"], 32, NAMES).identities)) == 4 + 3


def test_renamed_and_moved_sets_are_the_same_people(two_sets, tmp_path):
    before = load_frames(two_sets, 32, NAMES)
    (tmp_path / "elsewhere").mkdir()
    moved = [
        str(shutil.move(path, tmp_path / "elsewhere" / name))
        for path, name in zip(two_sets, ("zoe", "adam"), strict=True)
    ]
    after = load_frames(moved, 32, NAMES)
    assert after.people().tolist() == before.people().tolist()
    assert after.fingerprint() == before.fingerprint()
    assert load_frames(moved[::-1], 32, NAMES).fingerprint() != before.fingerprint()


def test_who_is_who_is_part_of_the_fingerprint():
    frames = load_frames(["puppets:12"], 32, NAMES)

    def called(*people: str) -> FrameSet:
        return dataclasses.replace(frames, identities=tuple(name and f"0/{name}" for name in people))

    one = called(*"aaaabbbbcccc")
    assert one.fingerprint() == called(*"zzzzyyyyxxxx").fingerprint()
    others = [called(*"aaaabbbbcccd"), called(*"aaaabbbbccca"), called(*["", *"aaabbbbcccc"]), called(*[""] * 12)]
    assert len({made.fingerprint() for made in (one, *others)}) == 5
    assert {made.fingerprint()[:16] for made in (one, *others)} == {called(*[""] * 12).fingerprint()}
    assert [made.numbered_by_name() for made in (one, called(*"zzzzyyyyxxxx"), called(*[""] * 12))] == [
        True,
        False,
        True,
    ]


def test_large_sets_live_in_a_file_and_are_the_same(prepared_folder, monkeypatch):
    data = [str(prepared_folder), "puppets:5"]
    in_memory = load_frames(data, 32, NAMES)
    monkeypatch.setattr(module, "MEMORY_MAP_FROM", 1)
    mapped = load_frames(data, 32, NAMES)
    assert isinstance(mapped.frames, np.memmap)
    assert isinstance(mapped.masks, np.memmap)
    assert not isinstance(in_memory.frames, np.memmap)
    assert same(mapped, in_memory)
    assert mapped.fingerprint() == in_memory.fingerprint()


def test_the_fingerprint_knows_one_set_from_another():
    one = load_frames(["puppets:6"], 32, NAMES)
    assert one.fingerprint() == load_frames(["puppets:6"], 32, NAMES).fingerprint()
    pixels, points, values = one.frames.copy(), one.landmarks.copy(), one.attributes.copy()
    pixels[3, 10, 10, 1] ^= 1
    points[2, 5, 0] += 1
    values[1, 0] = 0.5
    others = [
        dataclasses.replace(one, frames=pixels),
        dataclasses.replace(one, landmarks=points),
        dataclasses.replace(one, attributes=values),
        dataclasses.replace(one, splits=("test",) * 6),
        load_frames(["puppets:7"], 32, NAMES),
        load_frames(["puppets:6"], 32, NAMES[:2]),
    ]
    assert len({one.fingerprint(), *(other.fingerprint() for other in others)}) == 7


@pytest.mark.parametrize(
    "item", [f"puppets:{number}" for number in ("", "x", "0", "-3", "1.5", "100001", "9" * 30, "9" * 5000)]
)
def test_puppets_without_a_number(item):
    with pytest.raises(DataError, match=r"not puppets:N .*100,000"):
        load_frames([item], 32, NAMES)
