"""Templates of people, and IJB-A's tables: what is read of them, and what is wrong with some."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from masque.data.templates import FaceInPicture, read_ijba, split_people
from masque.errors import DataError

HEADING = "TEMPLATE_ID,SUBJECT_ID,FILE,MEDIA_ID,SIGHTING_ID,FACE_X,FACE_Y,FACE_WIDTH,FACE_HEIGHT"


def write_ijba(root: Path, file: str = "img/{}.png", splits: int = 2) -> Path:
    """Two splits of two people, A and B, with pictures 1 to 3 and 4 to 6; picture 1 shows B as well."""
    for number in range(1, splits + 1):
        verify, search = root / "IJB-A_11_sets" / f"split{number}", root / "IJB-A_1N_sets" / f"split{number}"
        verify.mkdir(parents=True)
        search.mkdir(parents=True)

        def rows(*cells: tuple[int, str, int, int]) -> str:
            lines = [
                f"{template},{person},{file.format(picture)},9,9,{left}.4,2,30,40"
                for template, person, picture, left in cells
            ]
            return "\n".join([HEADING, *lines]) + "\n"

        (verify / f"verify_metadata_{number}.csv").write_text(
            rows((11, "A", 1, 5), (11, "A", 2, 5), (12, "A", 3, 5), (13, "B", 1, 80), (13, "B", 4, 5))
        )
        (verify / f"verify_comparisons_{number}.csv").write_text("11,12\n11,13\n")
        (search / f"search_gallery_{number}.csv").write_text(rows((21, "A", 2, 5), (22, "B", 5, 5)))
        (search / f"search_probe_{number}.csv").write_text(rows((11, "B", 6, 5)))
    for picture in range(1, 7):
        path = root / "images" / file.format(picture)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def test_people_are_cut_in_halves_anew_in_each_split():
    people = np.array([5, 5, 5, 5, 7, 7, 7, -1, -1, 8])
    first, second = split_people(people, splits=2, seed=1)
    assert first.people.tolist() == [5, 7, 5, 7]
    assert first.pairs.tolist() == [[0, 2], [0, 3], [1, 2], [1, 3]]
    assert (first.gallery.tolist(), first.probes.tolist()) == ([0, 1], [2, 3])
    assert [len(t) for t in first.templates] == [2, 1, 2, 2]
    for split in (first, second):
        assert sorted(np.concatenate(split.templates)) == [0, 1, 2, 3, 4, 5, 6]
        assert all((people[t] == who).all() for t, who in zip(split.templates, split.people, strict=True))
    assert [sorted(t) for t in first.templates] != [sorted(t) for t in second.templates]
    again = split_people(people, splits=2, seed=1)[0]
    assert all((a == b).all() for a, b in zip(first.templates, again.templates, strict=True))
    for few in ([1, 1, 2, -1, -1], [-1, -1], []):
        with pytest.raises(DataError, match="Two held-out people with two pictures each"):
            split_people(np.array(few, dtype=int))


@pytest.mark.parametrize("inside", ["images", ""])
def test_ijba(tmp_path, inside):
    root = write_ijba(tmp_path)
    if not inside:
        shutil.move(root / "images" / "img", root / "img")
        (root / "images").rmdir()
    sightings, splits = read_ijba(root)
    assert sightings[0] == FaceInPicture(root / inside / "img" / "1.png", (5, 2, 30, 40))
    assert [(int(s.path.stem), s.box[0]) for s in sightings] == [
        (1, 5),
        (2, 5),
        (3, 5),
        (1, 80),
        (4, 5),
        (5, 5),
        (6, 5),
    ]
    assert len(splits) == 2
    for split in splits:
        assert [t.tolist() for t in split.templates] == [[0, 1], [2], [3, 4], [1], [5], [6]]
        assert split.people.tolist() == [0, 0, 1, 0, 1, 1]
        assert split.pairs.tolist() == [[0, 1], [0, 2]]
        assert (split.gallery.tolist(), split.probes.tolist()) == ([3, 4], [5])


def test_what_is_wrong_with_ijba(tmp_path):
    verify, compare = "IJB-A_11_sets/split2/verify_metadata_2.csv", "IJB-A_11_sets/split1/verify_comparisons_1.csv"
    for number, (spoil, says) in enumerate(
        (
            (
                lambda root: shutil.rmtree(root / "IJB-A_1N_sets"),
                "There are no folders IJB-A_11_sets and IJB-A_1N_sets",
            ),
            (
                lambda root: [shutil.rmtree(p) for p in (root / "IJB-A_11_sets").iterdir()],
                "There are no folders split1, split2",
            ),
            (lambda root: (root / verify).unlink(), "There is no table .*verify_metadata_2.csv"),
            (
                lambda root: (root / verify).write_text("TEMPLATE_ID,FILE\n"),
                "verify_metadata_2.csv has no column SUBJECT_ID",
            ),
            (
                lambda root: (root / verify).write_text(f"{HEADING}\n1,A,x.png\n"),
                "Line 2 of .*verify_metadata_2.csv is not a row",
            ),
            (lambda root: (root / compare).write_text("11,99\n"), "Line 1 of .*does not name two templates"),
            (
                lambda root: (root / "images/img/4.png").unlink(),
                "There is no .*4.png, and IJB-A's tables name it: 1 of the faces",
            ),
        )
    ):
        root = write_ijba(tmp_path / str(number))
        spoil(root)
        with pytest.raises(DataError, match=says):
            read_ijba(root)
