"""LFW's protocol on puppets: the pairs, what is missing, which face a picture is about, and where it is when none is
found."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from masque.data.lfw import DEFAULT_PLACE, aligned_faces, face_at_centre, read_pairs
from masque.errors import DataError, PictureError
from masque.faces.detect import choose_face, find_faces, identity, landmarks_in
from masque.faces.frame import TEMPLATE, align, five_points, transform
from masque.image import read_picture, write_picture

LINES = [
    "2\t2",
    "Ann\t1\t2",
    "Bo\t1\t2",
    "Ann\t1\tBo\t1",
    "Ann\t2\tBo\t2",
    "Cy\t1\t2",
    "Dee\t1\t2",
    "Cy\t1\tDee\t1",
    "Cy\t2\tDee\t2",
]


@pytest.fixture
def four(tmp_path: Path) -> Path:
    """Four people with two empty files each, beside their folders a readme and a folder of other people."""
    for name in ("Ann", "Bo", "Cy", "Dee"):
        (tmp_path / "lfw" / name).mkdir(parents=True)
        for number in (1, 2):
            (tmp_path / "lfw" / name / f"{name}_000{number}.jpg").touch()
    (tmp_path / "another" / "Ann").mkdir(parents=True)
    (tmp_path / "README").write_text("faces")
    (tmp_path / "pairs.txt").write_text("\n".join(LINES) + "\n\n")
    return tmp_path


def test_pairs_by_hand(four):
    pairs = read_pairs(four)
    names = [path.name for path in pairs.pictures]
    assert (
        sorted(names)
        == sorted(set(names))
        == [f"{name}_000{n}.jpg" for name in ("Ann", "Bo", "Cy", "Dee") for n in (1, 2)]
    )
    assert {path.parent.parent for path in pairs.pictures} == {four / "lfw"}
    assert [(names[a][:-4], names[b][:-4]) for a, b in pairs.sides] == [
        ("Ann_0001", "Ann_0002"),
        ("Bo_0001", "Bo_0002"),
        ("Ann_0001", "Bo_0001"),
        ("Ann_0002", "Bo_0002"),
        ("Cy_0001", "Cy_0002"),
        ("Dee_0001", "Dee_0002"),
        ("Cy_0001", "Dee_0001"),
        ("Cy_0002", "Dee_0002"),
    ]
    assert pairs.same.tolist() == [True, True, False, False] * 2
    assert pairs.fold.tolist() == [0] * 4 + [1] * 4


def test_people_may_lie_beside_pairs_txt(four):
    for person in list((four / "lfw").iterdir()):
        shutil.move(person, four / person.name)
    assert {path.parent.parent for path in read_pairs(four).pictures} == {four}


@pytest.mark.parametrize(
    ("line", "text", "says"),
    [
        (1, "", "Line 1 of .* is not the number of folds"),
        (1, "500", "Line 1 of .* is not the number of folds"),
        (1, "1\t4", "from 2 on"),
        (1, "2\t0", "Line 1 of"),
        (1, "two\t2", "Line 1 of"),
        (2, "Ann\t1", r"Line 2 of .*pairs\.txt is 'Ann 1' and should be a name and two numbers"),
        (3, "Ann\t1\tBo\t2", "Line 3 of .* should be a name and two numbers"),
        (4, "Ann\t1\t2", "Line 4 of .* should be two names, each with a number"),
        (5, "Ann\tone\tBo\t2", "Line 5 of .* should be two names"),
        (6, "", "Line 6 of .* is '' and should be a name"),
        (9, "Cy\t2\tDee\t99999999", "Line 9 of"),
        (9, None, "has 7 pairs and its first line promises 8"),
        (10, "Ann\t1\t2", "has 9 pairs and its first line promises 8"),
    ],
)
def test_lines_that_are_not_of_the_format(four, line, text, says):
    lines = [*LINES[: line - 1], *([] if text is None else [text]), *LINES[line:]]
    (four / "pairs.txt").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=says):
        read_pairs(four)


def test_a_partial_copy_ends_with_the_first_picture_it_lacks(four):
    for name in ("Bo/Bo_0002.jpg", "Cy/Cy_0001.jpg", "Dee/Dee_0002.jpg"):
        (four / "lfw" / name).unlink()
    with pytest.raises(DataError, match=r"lfw/Bo/Bo_0002\.jpg.*3 of the 8 pictures") as raised:
        read_pairs(four)
    assert str(raised.value).count(". ") == 0


def test_folders_that_are_not_lfw(four):
    with pytest.raises(DataError, match=r"There is no folder .*nowhere"):
        read_pairs(four / "nowhere")
    with pytest.raises(DataError, match=r"There is no pairs\.txt in"):
        read_pairs(four / "lfw")
    shutil.rmtree(four / "lfw")
    shutil.rmtree(four / "another")
    with pytest.raises(DataError, match="8 of the 8 pictures"):
        read_pairs(four)
    (four / "pairs.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read as text"):
        read_pairs(four)


def test_every_face_once_and_the_unfound_where_the_others_are(lfw_folder):
    pictures = read_pairs(lfw_folder).pictures
    seen = list(aligned_faces(pictures, 0.5, workers=1))
    assert sorted(number for number, _, _ in seen) == list(range(12))
    assert [(pictures[number].name, found) for number, _, found in seen if not found] == [("Puppet_4_0002.jpg", False)]
    blind = seen[-1][1]
    assert np.abs(np.array(blind.place) - np.median([s.place for _, s, found in seen if found], axis=0)).max() < 1 / 178
    number, sight, _ = seen[0]
    photo = read_picture(pictures[number])
    face = face_at_centre(photo)
    assert sight.frame.shape == (109, 89, 3)
    assert np.array_equal(sight.embedding, identity(photo, face.landmarks))
    moved = transform(five_points(face.landmarks), align(face.landmarks))
    assert np.abs(moved - TEMPLATE).mean() < 4


def test_processes_change_nothing(lfw_folder):
    pictures = read_pairs(lfw_folder).pictures
    one, two = list(aligned_faces(pictures, 0.25, workers=1)), list(aligned_faces(pictures, 0.25, workers=2))
    assert [(a, f) for a, _, f in one] == [(b, f) for b, _, f in two]
    for (_, a, _), (_, b, _) in zip(one, two, strict=True):
        assert np.array_equal(a.frame, b.frame)
        assert np.array_equal(a.embedding, b.embedding)


def test_where_nothing_is_found_the_middle_is_the_face(tmp_path):
    wall = np.random.default_rng(0).integers(0, 99, (90, 120, 3)).astype(np.uint8)
    paths = [write_picture(tmp_path / "a.png", wall), write_picture(tmp_path / "b.png", wall)]
    (_, one, found), (_, other, _) = aligned_faces(paths, 1.0, workers=1)
    assert not found
    assert one.place == pytest.approx(DEFAULT_PLACE, abs=0.01)
    assert np.array_equal(one.embedding, other.embedding)
    assert np.array_equal(one.embedding, identity(wall, landmarks_in(wall, (30, 22, 60, 45))))
    (tmp_path / "c.png").write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"c\.png"):
        list(aligned_faces([tmp_path / "c.png"], 1.0, workers=1))


def test_a_picture_is_about_the_face_that_holds_its_centre(photos):
    """Not about the largest: Huang et al. 2007 call all others background."""
    small = cv2.resize(photos["astronaut"], None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    both = np.full((560, 900, 3), 90, np.uint8)
    both[:, :290], both[200 : 200 + len(small), 290 : 290 + len(small)] = photos["grace_hopper"][:560, 110:400], small
    assert choose_face(find_faces(both)).landmarks[:, 0].max() < 290
    face = face_at_centre(both)
    assert face is not None
    assert 290 < face.landmarks[:, 0].min() < 450 < face.landmarks[:, 0].max() < 648
    assert face_at_centre(small) is None  # the astronaut's face is not in the middle of her picture
