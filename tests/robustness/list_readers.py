"""The lists that data sets come with, each beside the (empty) pictures that it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crafted import text_lines
from harness import Reader, write_input

from masque.data.layouts import read_layout
from masque.data.lfw import read_pairs
from masque.data.lists import read_names
from masque.data.templates import read_ijba
from masque.tables.attributes import sfhq

CELEBA = {
    "list_attr_celeba.txt": "3\nSmiling Male Young\n000001.jpg 1 -1 1\n000002.jpg -1 -1 1\n000003.jpg 1 1 -1\n",
    "identity_CelebA.txt": "000001.jpg 10\n000002.jpg 10\n000003.jpg 11\n",
    "list_eval_partition.txt": "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n",
}


def _celeba(folder: Path) -> None:
    for number in (1, 2, 3):
        write_input(f"celeba/img_align_celeba/{number:06d}.jpg", b"never opened here", folder)
    for name, text in CELEBA.items():
        write_input(f"celeba/{name}", text.encode(), folder)


def _kaggle(folder: Path) -> None:
    for number in (1, 2, 3):
        write_input(f"celeba/img_align_celeba/img_align_celeba/{number:06d}.jpg", b"never opened here", folder)
    attributes = "image_id,Smiling,Male,Young\n000001.jpg,1,-1,1\n000002.jpg,-1,-1,1\n000003.jpg,1,1,-1\n"
    write_input("celeba/list_attr_celeba.csv", attributes.encode(), folder)
    write_input(
        "celeba/list_eval_partition.csv", b"image_id,partition\n000001.jpg,0\n000002.jpg,1\n000003.jpg,2\n", folder
    )


def _lfw(folder: Path) -> None:
    for person in range(4):
        for number in (1, 2):
            write_input(f"lfw/lfw/P_{person}/P_{person}_{number:04d}.jpg", b"never opened here", folder)
    write_input("lfw/pairs.txt", b"2\t1\nP_0\t1\t2\nP_0\t1\tP_1\t1\nP_2\t1\t2\nP_2\t2\tP_3\t1\n", folder)


HEADING = "TEMPLATE_ID,SUBJECT_ID,FILE,MEDIA_ID,SIGHTING_ID,FACE_X,FACE_Y,FACE_WIDTH,FACE_HEIGHT\n"


def _ijba(folder: Path) -> None:
    verify, search = "ijba/IJB-A_11_sets/split1", "ijba/IJB-A_1N_sets/split1"
    write_input(
        f"{verify}/verify_metadata_1.csv",
        (HEADING + "11,A,img/1.png,9,9,5.4,2,30,40\n12,B,img/2.png,9,9,5,2,30,40\n").encode(),
        folder,
    )
    write_input(f"{verify}/verify_comparisons_1.csv", b"11,12\n12,12\n", folder)
    write_input(f"{search}/search_gallery_1.csv", (HEADING + "21,A,img/2.png,9,9,5,2,30,40\n").encode(), folder)
    write_input(f"{search}/search_probe_1.csv", (HEADING + "11,B,img/1.png,9,9,5,2,30,40\n").encode(), folder)
    for number in (1, 2):
        write_input(f"ijba/images/img/{number}.png", b"never opened here", folder)


def list_readers() -> Iterator[Reader]:
    """The lists that data sets come with."""
    layout = lambda folder: read_layout(folder / "celeba", "celeba")  # noqa: E731
    for name in CELEBA:
        yield Reader(f"CelebA: {name}", f"celeba/{name}", _celeba, layout, text_lines)
    for name in ("list_attr_celeba.csv", "list_eval_partition.csv"):
        yield Reader(f"CelebA: {name}", f"celeba/{name}", _kaggle, layout, text_lines)
    named = lambda folder: read_layout(folder / "celeba", "celeba", only=read_names(folder / "only.txt"))  # noqa: E731
    yield Reader("prepare --only", "only.txt", _only, named, text_lines)
    of_masks = lambda folder: read_layout(folder / "hq", "celebamask-hq", 0)  # noqa: E731
    for name in ("CelebAMask-HQ-attribute-anno.txt", "CelebA-HQ-to-CelebA-mapping.txt", "identity_CelebA.txt"):
        yield Reader(f"CelebAMask-HQ: {name}", f"hq/{name}", _celebamask, of_masks, text_lines)
    yield Reader("SFHQ: labels.csv", "labels.csv", _sfhq, lambda folder: list(sfhq(folder)), text_lines)
    yield Reader("LFW: pairs.txt", "lfw/pairs.txt", _lfw, lambda folder: read_pairs(folder / "lfw"), text_lines)
    for file in ("IJB-A_11_sets/split1/verify_metadata_1.csv", "IJB-A_11_sets/split1/verify_comparisons_1.csv"):
        yield Reader(
            f"IJB-A: {Path(file).name}", f"ijba/{file}", _ijba, lambda folder: read_ijba(folder / "ijba"), text_lines
        )


def _celebamask(folder: Path) -> None:
    for number in (0, 1):
        write_input(f"hq/CelebA-HQ-img/{number}.jpg", b"never opened here", folder)
        write_input(f"hq/CelebAMask-HQ-mask-anno/0/{number:05d}_skin.png", b"never opened here", folder)
    write_input("hq/CelebAMask-HQ-attribute-anno.txt", b"2\nSmiling Male Young\n0.jpg 1 -1 1\n1.jpg -1 -1 1\n", folder)
    mapping = b"idx\torig_idx\torig_file\n0\t1\t000001.jpg\n1\t2\t000002.jpg\n"
    write_input("hq/CelebA-HQ-to-CelebA-mapping.txt", mapping, folder)
    for name, text in CELEBA.items():
        write_input(f"hq/{name}", text.encode(), folder)


def _sfhq(folder: Path) -> None:
    table = 'file,captions\n1.jpg,a person with blond hair\n2.jpg,black hair\n3.jpg,"gray hair, a hat"\n'
    write_input("labels.csv", table.encode(), folder)


def _only(folder: Path) -> None:
    _celeba(folder)
    write_input("only.txt", b"000001.jpg\nimg_align_celeba/000003.jpg\n", folder)
