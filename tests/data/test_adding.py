"""Pictures that are added to a data set which has been prepared, and what else may have changed since."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from masque.data.journal import Journal, PrepareSettings, former_layout, open_journal
from masque.data.layouts import list_data_set
from masque.data.measured import MEASURED
from masque.data.prepare import prepare
from masque.data.prepared import open_prepared
from masque.errors import DataError


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def begin(tmp_path: Path, layout: str = "auto", held_out: float = 0.25, **more: object) -> Journal:
    source, out = tmp_path / "source", tmp_path / "out"
    out.mkdir(parents=True, exist_ok=True)
    settings = PrepareSettings(layout=layout, size=64, held_out=held_out)
    former = former_layout(out) if layout == "auto" else None
    listing = list_data_set(source, layout, held_out, former_layout=former, **more)  # type: ignore[arg-type]
    return open_journal(out, str(source.resolve()), settings, listing)


def plan(journal: Journal, root: Path) -> dict[str, str]:
    return {str(source.path.relative_to(root)): source.split for source in journal.sources}


FOUR = ("anna/1.jpg", "ben/1.jpg", "carl/1.jpg", "dora/1.jpg")


def test_what_is_added_comes_behind_and_nobody_changes_sides(tmp_path):
    root = make(tmp_path / "source", *FOUR)
    first = plan(begin(tmp_path), root)
    assert first == {"anna/1.jpg": "train", "ben/1.jpg": "train", "carl/1.jpg": "train", "dora/1.jpg": "test"}
    make(root, "aaron/1.jpg", "dora/0.jpg", "anna/2.jpg", "ede/1.jpg", "zoe/1.jpg", "zoe/2.jpg", "fred/1.jpg")
    journal = begin(tmp_path)
    again = plan(journal, root)
    assert list(again.items())[:4] == list(first.items())
    # of eight people a quarter is held out: Dora is already, and of the new ones it is the last
    assert dict(list(again.items())[4:]) == {
        "aaron/1.jpg": "train",
        "anna/2.jpg": "train",
        "dora/0.jpg": "test",
        "ede/1.jpg": "train",
        "fred/1.jpg": "train",
        "zoe/1.jpg": "test",
        "zoe/2.jpg": "test",
    }
    assert journal.added == 7
    third = begin(tmp_path)
    assert (plan(third, root), third.added) == (again, 0)


def test_photos_of_nobody_are_added_one_by_one(tmp_path):
    root = make(tmp_path / "source", "b.jpg", "c.jpg", "d.jpg", "e.jpg")
    begin(tmp_path)
    make(root, "a.jpg", "f.jpg", "g.jpg", "h.jpg")
    assert plan(begin(tmp_path), root) == {
        "b.jpg": "train",
        "c.jpg": "train",
        "d.jpg": "train",
        "e.jpg": "test",
        "a.jpg": "train",
        "f.jpg": "train",
        "g.jpg": "train",
        "h.jpg": "test",
    }


def test_what_the_folder_was_taken_for_stays(tmp_path):
    root = make(tmp_path / "source", "holiday/1.jpg", "holiday/2.jpg")
    assert begin(tmp_path).sources[0].identity == ""
    make(root, "wedding/1.jpg")
    assert begin(tmp_path).added == 1
    found = list_data_set(root, former_layout="photos")
    assert (found.layout, found.people) == ("photos", 0)
    assert found.notes == ["The folder looks like identities now; it was begun as photos, and so it goes on."]
    people = make(tmp_path / "two" / "source", *FOUR)
    begin(tmp_path / "two")
    make(people, *(f"{n}.jpg" for n in range(9)))
    again = begin(tmp_path / "two")
    assert (again.added, {source.identity for source in again.sources}) == (0, {"anna", "ben", "carl", "dora"})


def test_a_number_of_people_held_out_stays_that_number(tmp_path):
    root = make(tmp_path / "source", *FOUR)
    begin(tmp_path, held_out=1)
    make(root, "zoe/1.jpg")
    assert plan(begin(tmp_path, held_out=1), root)["zoe/1.jpg"] == "train"


def test_official_splits_are_those_of_the_lists(tmp_path):
    root = make(tmp_path / "source", "train/n1/1.jpg", "test/n2/1.jpg")
    begin(tmp_path)
    make(root, "test/n3/1.jpg", "train/n0/1.jpg")
    again = plan(begin(tmp_path), root)
    assert again == {
        "test/n2/1.jpg": "test",
        "train/n1/1.jpg": "train",
        "test/n3/1.jpg": "test",
        "train/n0/1.jpg": "train",
    }


AGAIN = """
import sys
from pathlib import Path
from masque.data.journal import PrepareSettings, open_journal
from masque.data.layouts import list_data_set
from masque.folders import as_text
source, out = Path(sys.argv[1]), Path(sys.argv[2])
found = list_data_set(source, held_out=0.25)
settings = PrepareSettings(size=64, held_out=0.25)
print(open_journal(out, as_text(source.resolve()), settings, found).added, ascii(found.name(found.sources[0])))
"""


def test_names_are_the_same_in_every_locale(tmp_path):
    make(tmp_path / "source", "zo\u00eb/\u00e4.jpg", f"zo\u00eb/{os.fsdecode(bytes([0xE9]))}.jpg", "\u00d6mer/1.jpg")
    begin(tmp_path)
    ascii_alone = {**os.environ, "LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    command = [sys.executable, "-c", AGAIN, str(tmp_path / "source"), str(tmp_path / "out")]
    done = subprocess.run(command, env=ascii_alone, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("0 'zo\\xeb/\\xe4.jpg'\n", "")


def test_junk_adds_nothing(tmp_path):
    root = make(tmp_path / "source", *FOUR)
    first = begin(tmp_path)
    make(root, "anna/.ipynb_checkpoints/1-checkpoint.jpg", "__MACOSX/anna/._1.jpg", ".DS_Store", "ben/notes.txt")
    again = begin(tmp_path)
    assert (again.sources, again.added) == (first.sources, 0)


def test_what_differs_is_said(tmp_path):
    root = make(tmp_path / "source", *FOUR)
    before = (begin(tmp_path).path).read_bytes()
    phrase = (
        r"was prepared from another source or with other settings: choose another folder, or give the command as it "
        r"was "
    )
    with pytest.raises(DataError, match=phrase + r"\(held-out was 0.25 and is 0.5\)"):
        begin(tmp_path, held_out=0.5)
    with pytest.raises(DataError, match=phrase + r"\(layout was auto and is photos\)"):
        begin(tmp_path, layout="photos")
    with pytest.raises(DataError, match=phrase + r"\(2 of its 4 pictures are not there any more, carl/1.jpg for one\)"):
        begin(tmp_path, only=["anna/1.jpg", "ben/1.jpg"])
    shutil.rmtree(root)
    make(root, "anna/1.jpg", "ben/1.jpg", "carl/1.jpg")
    with pytest.raises(DataError, match=phrase + r"\(1 of its 4 pictures are not there any more, dora/1.jpg for one\)"):
        begin(tmp_path)
    assert (tmp_path / "out" / "journal.jsonl").read_bytes() == before


def test_official_splits_that_changed_are_said(tmp_path):
    root = make(tmp_path / "source", "img_align_celeba/1.jpg", "img_align_celeba/2.jpg")
    (root / "list_eval_partition.txt").write_text("1.jpg 0\n2.jpg 2\n")
    begin(tmp_path)
    (root / "list_eval_partition.txt").write_text("1.jpg 0\n2.jpg 0\n")
    with pytest.raises(DataError, match=r"img_align_celeba/2.jpg was in test and is in train now"):
        begin(tmp_path)


def older(journal: Path, listing: str) -> None:
    """A journal as it was begun when it knew its pictures by a hash of all."""
    import hashlib

    first, *lines = journal.read_text().splitlines()
    about = {name: value for name, value in json.loads(first).items() if name not in ("found", "pictures")}
    about |= {"most_turned": float("inf"), "sources": hashlib.sha256(listing.encode()).hexdigest()[:16]}
    journal.write_text("\n".join([json.dumps(about), *lines]) + "\n")


def test_an_older_journal_goes_on(tmp_path):
    root = make(tmp_path / "source", *FOUR)
    journal = begin(tmp_path)
    listing = "\n".join(name + split for name, split in plan(journal, root).items())
    older(journal.path, listing)
    again = begin(tmp_path)
    assert (again.sources, again.added) == (journal.sources, 0)
    older(journal.path, listing)
    make(root, "ede/1.jpg")
    with pytest.raises(DataError, match="an older Masque began it"):
        begin(tmp_path)
    with pytest.raises(DataError, match=r"held-out was 0.25 and is 0.5"):
        begin(tmp_path, held_out=0.5)


@pytest.mark.parametrize("first", ["", "{", "[]", "null", "x", '{"pictures": 3}', '{"found": 1'])
def test_a_damaged_plan_is_one_sentence(tmp_path, first):
    make(tmp_path / "source", *FOUR)
    path = begin(tmp_path).path
    path.write_text(first + "\n")
    with pytest.raises(DataError, match=r"is damaged|another source"):
        begin(tmp_path)


@pytest.mark.parametrize(
    "pictures", [3, None, [3], [["anna/1.jpg"]], [["anna/1.jpg", "exam"]], [[1, "train"]], {"anna/1.jpg": "train"}]
)
def test_damaged_pictures_of_a_plan(tmp_path, pictures):
    make(tmp_path / "source", *FOUR)
    path = begin(tmp_path).path
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pictures": pictures}) + "\n")
    with pytest.raises(DataError, match="is damaged: choose another folder, or delete"):
        begin(tmp_path)


def test_a_set_grows_and_what_was_there_stays(prepared_folder, photo_folder, tmp_path):
    """Names that are no UTF-8, with line breaks and commas go through all files of a set."""
    odd = os.fsdecode(b'caf\xe9\n,".png')
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    for name in ("puppet3.png", "puppet4.png"):
        shutil.copy(photo_folder / name, source / name)
    assert prepare(source, out, PrepareSettings(size=64, held_out=1), workers=1).added == 0
    before = open_prepared(out)
    shutil.copy(photo_folder / "puppet1.png", source / odd)
    report = prepare(source, out, PrepareSettings(size=64, held_out=1), workers=1)
    after = open_prepared(out)
    assert (report.kept, report.resumed, report.added) == (3, 2, 1)
    assert (after.rows[:2], after.rows[2].source, after.rows[2].split) == (before.rows, odd, "train")
    assert (after.landmarks[:2] == before.landmarks).all()
    assert (after.frame(1) == before.frame(1)).all()
    assert (after.landmarks[2] == open_prepared(prepared_folder).landmarks[0]).all()
    about = json.loads((out / "prepared.json").read_text())
    assert (about["layout"], about["layout_asked"], about["pictures"], about["left_out"]) == ("photos", "auto", 3, {})


def test_a_set_without_attributes_gets_them(prepared_folder, photo_folder, tmp_path):
    again = shutil.copytree(prepared_folder, tmp_path / "again")
    journal = again / "journal.jsonl"
    first, *lines = map(json.loads, journal.read_text().splitlines())
    for line in lines:
        if "attributes" in line:
            line["attributes"] = {}
    journal.write_text("".join(json.dumps(line) + "\n" for line in [first, *lines]))
    with (again / "index.csv").open() as opened:
        rows = [row[:4] for row in csv.reader(opened)]
    (again / "index.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    assert open_prepared(again).attribute_names == ()
    prepare(
        photo_folder,
        again,
        PrepareSettings(size=64, held_out=0.4),
        workers=1,
        classify=lambda frames: [{"Male": 0.25}] * len(frames),
    )
    before, after = open_prepared(prepared_folder), open_prepared(again)
    assert after.attributes(["Male"]).tolist() == [[0.25]] * 4
    assert (
        abs(after.attributes(MEASURED[:2]) - before.attributes(MEASURED[:2])).max() < 0.01
    )  # landmarks are kept to hundredths


def test_pictures_of_which_a_little_is_known_get_the_rest(photo_folder, tmp_path):
    source = tmp_path / "utkface"
    source.mkdir()
    shutil.copy(photo_folder / "puppet3.png", source / "40_1_0_2017.png")
    prepare(
        source,
        tmp_path / "out",
        PrepareSettings(size=64, held_out=0),
        workers=1,
        classify=lambda frames: [{"Male": 0.9, "Young": 0.9}] * len(frames),
    )
    (row,) = open_prepared(tmp_path / "out").rows
    assert (row.attributes["Male"], row.attributes["Young"]) == (0, 0.5)
    assert {"Smiling", "Mouth_Slightly_Open"} <= row.attributes.keys()


def test_a_picture_that_was_replaced_is_prepared_anew(photo_folder, tmp_path):
    """Under the same name; whether it is kept or dropped may change, too. What an older journal does not know stays as
    it is."""
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    for name, content in (("a.png", "puppet1.png"), ("b.png", "puppet3.png"), ("c.png", "wall.png")):
        shutil.copy(photo_folder / content, source / name)
    first = prepare(source, out, PrepareSettings(size=64, held_out=0), workers=1)
    assert (first.kept, first.replaced) == (2, 0)
    before = open_prepared(out)
    frames = [before.frame(0), before.frame(1)]
    shutil.copy(photo_folder / "puppet4.png", source / "a.png")
    shutil.copy(photo_folder / "puppet6.png", source / "c.png")
    second = prepare(source, out, PrepareSettings(size=64, held_out=0), workers=1)
    after = open_prepared(out)
    assert (second.kept, second.resumed, second.replaced, second.dropped) == (3, 1, 2, {})
    assert (after.frame(0) != frames[0]).any()
    assert (after.landmarks[0] != before.landmarks[0]).any()
    assert (after.frame(1) == frames[1]).all()
    journal = out / "journal.jsonl"
    older = [{k: v for k, v in json.loads(line).items() if k != "state"} for line in journal.read_text().splitlines()]
    journal.write_text("".join(json.dumps(line) + "\n" for line in older))
    os.utime(source / "a.png", (1, 1))
    assert prepare(source, out, PrepareSettings(size=64, held_out=0), workers=1).replaced == 0
    journal.write_text(journal.read_text().replace('"number"', '"state": 3, "number"'))
    with pytest.raises(DataError, match="is damaged"):
        prepare(source, out, PrepareSettings(size=64, held_out=0), workers=1)
