"""The demonstration page: every picture on it is there, says how it was made, and what was left out is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

import masque
from masque import runs
from masque.cli.overwriting import check_replaceable
from masque.edits.invert import Options
from masque.edits.loaded import AttributeEditor, LatentEditor, PortraitEditor, Swapper, Synthesizer
from masque.edits.subject import Shares, Subject
from masque.errors import OutputError
from masque.gallery import page as gallery
from masque.gallery.page import Shown, make_page, own_photos
from masque.image import Picture, read_picture, write_picture
from masque.provenance import verify
from masque.samples import sample_photos
from tiny import ParserOf

ODD_NAME = 'ann #1 50% <b>&"'
"""A file name with every letter that a page or an address could take for something else."""


@dataclass
class Reader(HTMLParser):
    """Pictures, headings, records and paragraphs of a page."""

    images: list[dict[str, str]] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "img":
            self.images.append({name: value or "" for name, value in attrs})
        if tag == "pre":
            self.records.append("")

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self.lasttag == "pre" and data.strip().startswith("{"):
            self.records[-1] += data


@dataclass(frozen=True)
class Made:
    folder: Path
    page: Reader
    complaints: list[str]
    progress: list[tuple[int, int]]
    announced: list[Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, model_folder: Path, puppet_files: list[Path]) -> Made:
    """The page of two portraits (puppets, to be quick) and a folder of a user's files."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "in").mkdir()
    shutil.copy(puppet_files[2], folder / "in" / f"{ODD_NAME}.png")
    (folder / "in" / "broken.jpg").write_bytes(b"words")
    write_picture(folder / "in" / "wall.png", np.full((200, 200, 3), 90, np.uint8))
    (folder / "in" / "notes.txt").write_text("no picture, and not meant as one")
    (folder / "in" / ".hidden.png").write_bytes(b"")
    progress: list[tuple[int, int]] = []
    announced: list[Path] = []
    portraits = {path.stem: read_picture(path) for path in puppet_files[:2]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "sample_photos", lambda: portraits)
        patch.setattr(Options, "steps", 5)
        patch.setattr(Options, "detail_steps", 5)
        translator = AttributeEditor(runs.build_recipe(runs.plan("ccagan", "tiny")).model, "ccagan", "0" * 16)
        painter = PortraitEditor(
            runs.build_recipe(runs.plan("portrait", "tiny")).model,
            "portrait",
            "0" * 16,
            parser=ParserOf(bald_but_for(portraits["puppet3"])),
        )
        session = masque.load(str(model_folder))
        latents = LatentEditor(runs.build_recipe(runs.plan("progan", "tiny")).model, "progan", "0" * 16)
        synthesizer = Synthesizer(runs.build_recipe(runs.plan("facefeat", "tiny")).model, "facefeat", "0" * 16)
        path, complaints = make_page(
            session,
            folder,
            lambda done, of: progress.append((done, of)),
            translator,
            painter,
            latents,
            synthesizer,
            check=announced.extend,
            photo_editor=masque.load(),
        )
    assert path == folder / "index.html"
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return Made(folder, reader, complaints, progress, announced)


def bald_but_for(photo: Picture) -> Callable[[Subject], Shares]:
    """A parser that sees a mouth everywhere, and hair on one photo alone."""

    def parse(subject: Subject) -> Shares:
        labels = np.ones((subject.size, subject.size), np.uint8)
        labels[40:44, 28:36] = 8
        if np.array_equal(subject.photo, photo):
            labels[:10] = 10
        return np.stack([labels == label for label in range(11)]).astype(np.float32)

    return parse


def str_of(record: dict[str, object]) -> str:
    return json.dumps(record, sort_keys=True)


def test_every_picture_of_the_page_is_there_and_no_other(made: Made) -> None:
    sources = {unquote(image["src"]) for image in made.page.images}
    assert sources == {f"out/{path.name}" for path in (made.folder / "out").iterdir()}
    assert all(read_picture(made.folder / source).size for source in sources)
    assert all(image["alt"] for image in made.page.images)


def test_every_file_is_announced_before_it_is_written_and_may_then_be_replaced(made: Made) -> None:
    written = {made.folder / "index.html", *(made.folder / "out").iterdir()}
    without_hair = {"puppet1-hair-of-puppet3.jpg", f"{ODD_NAME}-hair-of-puppet1.jpg", f"puppet1-hair-of-{ODD_NAME}.jpg"}
    assert {path.name for path in set(made.announced) - written} <= without_hair | {"puppet3-hair-of-puppet1.jpg"}
    assert written <= set(made.announced)
    check_replaceable(None, *written)


@pytest.mark.parametrize("overwrite", [None, False])
def test_a_picture_of_the_users_own_is_kept(
    session: Swapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, puppet_files: list[Path], overwrite: bool | None
) -> None:
    mine = tmp_path / "out" / f"{puppet_files[0].stem}-smile.jpg"
    mine.parent.mkdir()
    write_picture(mine, np.full((8, 8, 3), 9, np.uint8))
    before = mine.read_bytes()
    monkeypatch.setattr(gallery, "sample_photos", lambda: {path.stem: read_picture(path) for path in puppet_files[:2]})
    with pytest.raises(OutputError, match=r"-smile\.jpg is there already"):
        make_page(session, tmp_path, check=lambda paths: check_replaceable(overwrite, *paths))
    assert mine.read_bytes() == before
    assert [path.name for path in tmp_path.rglob("*.*")] == [mine.name]


def test_every_task_is_shown_for_every_photo(made: Made) -> None:
    names = {path.name for path in (made.folder / "out").iterdir()}
    for name in ("puppet1", "puppet3", ODD_NAME):
        assert {
            f"{name}.jpg",
            f"{name}-smile.jpg",
            f"{name}-blond.jpg",
            f"{name}-hair.jpg",
            f"{name}-faces.jpg",
        } <= names
        assert {f"{name}-attributes.jpg", f"{name}-person.jpg"} <= names
    assert {"puppet1-mouth-of-puppet3.jpg", "puppet3-mouth-of-puppet1.jpg", f"{ODD_NAME}-mouth-of-puppet1.jpg"} <= names
    assert {"swap-puppet1-on-puppet3.jpg", "swap-puppet3-on-puppet1.jpg", "blend-puppet1-puppet3.jpg"} <= names
    assert f"swap-{ODD_NAME}-on-puppet1.jpg" in names
    assert {"combined-puppet1-puppet3.jpg", "morph-puppet1-puppet3.jpg"} <= names


def test_the_records_on_the_page_are_those_in_the_pictures(made: Made) -> None:
    in_pictures = [verify(path) for path in sorted((made.folder / "out").iterdir())]
    written = [dict(verdict.record) for verdict in in_pictures if verdict.record is not None]
    assert all(verdict.unchanged is not False for verdict in in_pictures)
    on_page = [json.loads(record) for record in made.page.records]
    assert len(on_page) == len(written) > 10
    assert sorted(on_page, key=str_of) == sorted(written, key=str_of)
    assert {record["edit"] for record in on_page} == {
        "swap",
        "edit",
        "random",
        "blend",
        "sheet",
        "repaint",
        "combine",
        "morph",
        "turn",
        "synthesize",
    }


def test_what_was_left_out_is_named(made: Made) -> None:
    assert len(made.complaints) == 4
    broken, wall, *bald = made.complaints
    assert all("Style of the hair" in complaint and "No hair can be seen" in complaint for complaint in bald)
    assert "broken.jpg is not a picture" in broken
    assert wall.startswith("wall: No face was found")
    text = "".join(made.page.text)
    for complaint in made.complaints:
        assert complaint in text
    assert "notes.txt" not in text
    assert "hidden" not in text


def test_names_are_shown_as_they_are_and_not_obeyed(made: Made) -> None:
    assert f"Edit: {ODD_NAME}" in "".join(made.page.text)
    assert "b" not in made.page.tags


def test_progress_goes_up_to_all(made: Made) -> None:
    of = made.progress[-1][1]
    assert made.progress == [(done, of) for done in range(1, of + 1)]


def test_two_photos_that_differ_in_their_ending_only(tmp_path: Path) -> None:
    for name, level in (("ann.png", 10), ("ann.jpg", 200), ("ben.png", 30)):
        write_picture(tmp_path / name, np.full((8, 8, 3), level, np.uint8))
    photos, complaints = own_photos(tmp_path)
    assert complaints == []
    assert {name: int(photo[0, 0, 0]) for name, photo in photos.items()} == {"ann": 200, "ann.png": 10, "ben": 30}


def test_a_missing_folder_of_photos_is_an_empty_one(tmp_path: Path) -> None:
    assert own_photos(tmp_path / "in") == ({}, [])


def test_a_page_that_has_no_place(
    session: Swapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, puppet_files: list[Path]
) -> None:
    (tmp_path / "out").write_text("mine")
    monkeypatch.setattr(gallery, "sample_photos", lambda: {path.stem: read_picture(path) for path in puppet_files[:2]})
    with pytest.raises(OutputError, match="out is a file: name a folder"):
        make_page(session, tmp_path)
    assert (tmp_path / "out").read_text() == "mine"


def test_records_and_captions_are_escaped() -> None:
    reader = Reader()
    shown = Shown("a&b.jpg", "<i>smiling</i>", {"photo": "</pre><script>"})
    reader.feed(gallery._html(FakeSession(), [("<h3>", [shown])], ["<u>"]))  # type: ignore[arg-type]
    assert not reader.tags & {"i", "u", "h3", "script"}
    assert json.loads(reader.records[0]) == {"photo": "</pre><script>"}


@dataclass(frozen=True)
class FakeSession:
    family: str = "<family>"
    size: int = 32
    weights: str = "0" * 16


def test_the_samples_are_two_colour_portraits(photos: dict[str, Picture]) -> None:
    assert sample_photos().keys() == photos.keys() == {"astronaut", "grace_hopper"}
    assert all(
        photo.dtype == np.uint8 and photo.shape[2] == 3 and min(photo.shape[:2]) >= 512 for photo in photos.values()
    )
