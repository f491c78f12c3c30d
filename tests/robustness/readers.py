"""Every way from a file into Masque, each with a small valid input."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import mutations
import numpy as np
import torch
from crafted import formulas, json_file, npy_file, npz_file, safetensors_file, state_file, text_lines
from harness import Crafted, Reader
from PIL import Image, ImageCms, features

from masque import catalog, loading, modelfile, provenance, runs
from masque.config import as_dict
from masque.data.frames import load_frames
from masque.data.journal import PrepareSettings
from masque.data.layouts import read_layout
from masque.data.lfw import read_pairs
from masque.data.lists import read_names
from masque.data.prepare import prepare
from masque.data.puppets import draw_puppet, render
from masque.data.templates import read_ijba
from masque.edits.formula import compute
from masque.edits.latents import Latent, read_latent
from masque.edits.result import Result
from masque.faces.labels import read_labels, write_labels
from masque.faces.shape3d import read_shape_model
from masque.faces.shape_learning import learn_shapes
from masque.film import write_film
from masque.image import read_picture
from masque.layers.vgg import load_vgg
from masque.tables.attributes import sfhq
from masque.train.log import Log
from masque.train.state import load_state, same_run

SIDE = 64


def picture(mode: str = "RGB") -> Image.Image:
    """A small picture of a puppet in a Pillow mode."""
    pixels = cv2.resize(render(draw_puppet(3), 0.5).picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    image = Image.fromarray(pixels)
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    if mode == "F":
        return image.convert("F")
    if mode == "P":
        return image.quantize(32)
    return image.convert(mode)


def saved(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    """The bytes of a picture file of a format and mode."""
    stream = io.BytesIO()
    picture(mode).save(stream, kind, **options)
    return stream.getvalue()


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    return exif.tobytes()


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


PICTURES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "png": ("PNG", "RGB", {}),
    "png, alpha": ("PNG", "RGBA", {}),
    "png, palette": ("PNG", "P", {"transparency": 3}),
    "png, 16 bit": ("PNG", "I;16", {}),
    "png, animated": ("PNG", "RGB", {"save_all": True, "append_images": [Image.new("RGB", (SIDE, SIDE), "red")]}),
    "png, profile": ("PNG", "RGB", {"icc_profile": _profile()}),
    "jpeg": ("JPEG", "RGB", {"exif": _exif(), "icc_profile": _profile()}),
    "jpeg, progressive": ("JPEG", "RGB", {"progressive": True}),
    "jpeg, cmyk": ("JPEG", "CMYK", {}),
    "jpeg, grey": ("JPEG", "L", {}),
    "webp": ("WEBP", "RGB", {"exif": _exif()}),
    "webp, lossless": ("WEBP", "RGBA", {"lossless": True}),
    "tiff, lzw": ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    "tiff, deflate": ("TIFF", "RGB", {"compression": "tiff_adobe_deflate"}),
    "tiff, jpeg": ("TIFF", "RGB", {"compression": "jpeg"}),
    "tiff, plain float": ("TIFF", "F", {}),
    "tiff, fax": ("TIFF", "1", {"compression": "group4"}),
    "bmp": ("BMP", "RGB", {}),
    "gif": ("GIF", "P", {}),
    "ppm": ("PPM", "RGB", {}),
    "jpeg 2000": ("JPEG2000", "RGB", {}),
    "png, palette with alphas": ("PNG", "P", {"transparency": bytes(range(0, 256, 8))}),
    "jpeg, cmyk with profile": ("JPEG", "CMYK", {"icc_profile": _profile()}),
    "mpo": ("MPO", "RGB", {"save_all": True, "append_images": [Image.new("RGB", (SIDE, SIDE), "red")]}),
    "webp, animated": ("WEBP", "RGB", {"save_all": True, "append_images": [Image.new("RGB", (SIDE, SIDE), "red")]}),
    "tiff, 16 bit": ("TIFF", "I;16", {"compression": "tiff_lzw"}),
    "tiff, cmyk": ("TIFF", "CMYK", {"compression": "tiff_lzw"}),
    "tiff, big": ("TIFF", "RGB", {"big_tiff": True}),
    "tiff, tiled": ("TIFF", "RGB", {"tile": (16, 16), "compression": "tiff_lzw", "tiffinfo": {322: 16, 323: 16}}),
} | ({"avif": ("AVIF", "RGB", {})} if features.check("avif") else {})


def _write(file: str, content: bytes, folder: Path) -> None:
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(content)


def picture_readers() -> Iterator[Reader]:
    """Every kind of picture file, as a photo."""
    for name, (kind, mode, options) in PICTURES.items():
        content = partial(saved, kind, mode, **options)
        build = lambda folder, c=content: _write("photo.png", c(), folder)  # noqa: E731
        yield Reader(f"photo: {name}", "photo.png", build, _as_photo, mutations.of_png if kind == "PNG" else None)


def _as_photo(folder: Path) -> None:
    photo = read_picture(folder / "photo.png")
    assert photo.dtype == np.uint8
    assert photo.ndim == 3
    assert photo.shape[2] == 3


# Inputs of many files, made once and copied


@cache
def _made(what: str) -> Path:
    """A folder with a valid input that takes a while to make."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="masque-robustness-"))
    if what == "prepared":
        _photos(folder / "people")
        prepare(folder / "people", folder / "set", PrepareSettings(size=32, held_out=1), workers=1)
    elif what == "run":
        runs.train(runs.plan("rsgan", "tiny", ["batch_size=2", "steps=2"]), ["puppets:8"], folder / "run")
    else:
        plan = runs.plan(what, "tiny")
        nets = runs.build_recipe(plan).nets
        served = {name: nets[name] for name in catalog.family(what).load("model_parts") if name in nets} or dict(nets)
        modelfile.write(
            folder / "model", what, as_dict(plan.model), torch.nn.ModuleDict(served).state_dict(), "# tiny, untrained\n"
        )
    return folder


def _photos(folder: Path) -> None:
    for person in range(3):
        for number in range(2):
            (folder / f"person{person}").mkdir(parents=True, exist_ok=True)
            Image.fromarray(render(draw_puppet(50 * person + number, 500 + person)).picture).save(
                folder / f"person{person}" / f"{number}.png"
            )


def copy_made(what: str, folder: Path) -> None:
    shutil.copytree(_made(what), folder, dirs_exist_ok=True)


def _load_prepared(folder: Path) -> None:
    load_frames([str(folder / "set")], 32, ("Smiling",)).fingerprint()


def prepared_readers() -> Iterator[Reader]:
    """Every file of a prepared set, and the journal of one whose preparation goes on."""
    files: dict[str, Crafted | None] = {
        "prepared.json": json_file,
        "index.csv": text_lines,
        "landmarks.npy": npy_file,
        "images/000001.jpg": None,
        "masks/000001.png": mutations.of_png,
    }
    for file, crafted in files.items():
        yield Reader(f"prepared set: {file}", f"set/{file}", partial(copy_made, "prepared"), _load_prepared, crafted)
    yield Reader(
        "prepared set: journal.jsonl",
        "set/journal.jsonl",
        partial(copy_made, "prepared"),
        lambda folder: prepare(
            _made("prepared") / "people", folder / "set", PrepareSettings(size=32, held_out=1), workers=1
        ),
        text_lines,
        writes=True,
    )


def _load_run(folder: Path) -> None:
    runs.plan_of(folder / "run")


def _same_run(folder: Path) -> None:
    plan = runs.plan("rsgan", "tiny", ["batch_size=2", "steps=2"])
    before = json.loads((_made("run") / "run" / "settings.json").read_text())
    same_run(folder / "run", before, frozenset(), plan.defaults(), plan.upgrade)


def _resume(folder: Path) -> None:
    runs.train(runs.plan("rsgan", "tiny", ["batch_size=2", "steps=2"]), ["puppets:8"], folder / "run")


def _log(folder: Path) -> None:
    Log(folder / "run", 2, tensorboard=False).close()


GOES_ON = r"[^\n]*/state-2\.ckpt [^\n]*; the run goes on from step 0\.\n"
"""What a user is told of a state that is damaged, where the run has another or begins anew."""


def run_readers() -> Iterator[Reader]:
    """Every file of a run folder."""
    build = partial(copy_made, "run")
    yield Reader("run: settings.json, looked at", "run/settings.json", build, _load_run, json_file)
    yield Reader("run: settings.json, gone on with", "run/settings.json", build, _same_run, json_file)
    yield Reader(
        "run: state, looked at",
        "run/state-2.ckpt",
        build,
        lambda folder: load_state(folder / "run" / "state-2.ckpt"),
        state_file,
    )
    yield Reader("run: state, gone on with", "run/state-2.ckpt", build, _resume, state_file, True, GOES_ON)
    yield Reader("run: log.jsonl", "run/log.jsonl", build, _log, text_lines, writes=True)


def model_readers() -> Iterator[Reader]:
    """Model folders of two families, read as edits read them."""
    for family in ("rsgan", "progan"):
        for file, crafted in (("config.json", json_file), ("weights.safetensors", safetensors_file)):
            load = lambda folder: loading.load_session(str(folder / "model"))  # noqa: E731
            yield Reader(f"model ({family}): {file}", f"model/{file}", partial(copy_made, family), load, crafted)


def _shapes(folder: Path) -> None:
    drawn = [render(draw_puppet(seed, 500 + seed // 4)).landmarks for seed in range(24)]
    learn_shapes(np.stack(drawn), np.arange(24) // 4, 3, 3).save(folder / "shape.npz")


def _latent(folder: Path) -> None:
    Latent(torch.randn(32, generator=torch.Generator().manual_seed(0)), "anna", "0" * 16).save(
        folder / "latent.safetensors"
    )


def _vgg(folder: Path) -> None:
    weights = {}
    for place in (
        0,
        2,
        5,
        7,
        10,
        12,
        14,
        16,
        19,
        21,
        23,
        25,
        28,
    ):  # where torchvision's VGG-19 has its convolutions, up to relu5_1
        inside, outside = (2 if place else 3), 2
        weights[f"features.{place}.weight"] = torch.zeros(outside, inside, 3, 3)
        weights[f"features.{place}.bias"] = torch.zeros(outside)
    from safetensors.torch import save_file

    save_file(weights, folder / "vgg.safetensors")
    torch.save(weights, folder / "vgg.pth")


def file_readers() -> Iterator[Reader]:
    """Single files: 3D models, latents, foreign weights, label maps, formulas."""
    yield Reader("3D face model", "shape.npz", _shapes, lambda folder: read_shape_model(folder / "shape.npz"), npz_file)
    yield Reader(
        "latent",
        "latent.safetensors",
        _latent,
        lambda folder: read_latent(folder / "latent.safetensors"),
        safetensors_file,
    )
    yield Reader(
        "VGG weights (safetensors)",
        "vgg.safetensors",
        _vgg,
        lambda folder: load_vgg(folder / "vgg.safetensors"),
        safetensors_file,
    )
    yield Reader("VGG weights (.pth)", "vgg.pth", _vgg, lambda folder: load_vgg(folder / "vgg.pth"))
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[8:60, 8:56], labels[20:26, 18:28], labels[20:26, 36:46], labels[44:50, 22:42] = 1, 4, 5, 8
    yield Reader(
        "label map: palette",
        "labels.png",
        lambda folder: write_labels(folder / "labels.png", labels),
        _labels,
        mutations.of_png,
    )
    yield Reader(
        "label map: colours",
        "labels.png",
        lambda folder: _write("labels.png", _coloured_map(labels), folder),
        _labels,
        mutations.of_png,
    )
    yield Reader(
        "formula",
        "formula.txt",
        lambda folder: _write("formula.txt", b"(a - b + c) / 3 + 0.5*a", folder),
        _formula,
        formulas,
    )


def _labels(folder: Path) -> None:
    read_labels(folder / "labels.png")


def _coloured_map(labels: np.ndarray[Any, Any]) -> bytes:
    from masque.faces.labels import colour_labels

    stream = io.BytesIO()
    Image.fromarray(colour_labels(labels)).save(stream, "PNG")
    return stream.getvalue()


def _formula(folder: Path) -> None:
    text = (folder / "formula.txt").read_bytes().decode("utf-8", "surrogateescape")
    z = {name: torch.full((8,), 0.1) for name in "abc"}
    assert bool(compute(text, z).isfinite().all())


CELEBA = {
    "list_attr_celeba.txt": "3\nSmiling Male Young\n000001.jpg 1 -1 1\n000002.jpg -1 -1 1\n000003.jpg 1 1 -1\n",
    "identity_CelebA.txt": "000001.jpg 10\n000002.jpg 10\n000003.jpg 11\n",
    "list_eval_partition.txt": "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n",
}


def _celeba(folder: Path) -> None:
    for number in (1, 2, 3):
        _write(f"celeba/img_align_celeba/{number:06d}.jpg", b"never opened here", folder)
    for name, text in CELEBA.items():
        _write(f"celeba/{name}", text.encode(), folder)


def _kaggle(folder: Path) -> None:
    for number in (1, 2, 3):
        _write(f"celeba/img_align_celeba/img_align_celeba/{number:06d}.jpg", b"never opened here", folder)
    attributes = "image_id,Smiling,Male,Young\n000001.jpg,1,-1,1\n000002.jpg,-1,-1,1\n000003.jpg,1,1,-1\n"
    _write("celeba/list_attr_celeba.csv", attributes.encode(), folder)
    _write("celeba/list_eval_partition.csv", b"image_id,partition\n000001.jpg,0\n000002.jpg,1\n000003.jpg,2\n", folder)


def _lfw(folder: Path) -> None:
    for person in range(4):
        for number in (1, 2):
            _write(f"lfw/lfw/P_{person}/P_{person}_{number:04d}.jpg", b"never opened here", folder)
    _write("lfw/pairs.txt", b"2\t1\nP_0\t1\t2\nP_0\t1\tP_1\t1\nP_2\t1\t2\nP_2\t2\tP_3\t1\n", folder)


HEADING = "TEMPLATE_ID,SUBJECT_ID,FILE,MEDIA_ID,SIGHTING_ID,FACE_X,FACE_Y,FACE_WIDTH,FACE_HEIGHT\n"


def _ijba(folder: Path) -> None:
    verify, search = "ijba/IJB-A_11_sets/split1", "ijba/IJB-A_1N_sets/split1"
    _write(
        f"{verify}/verify_metadata_1.csv",
        (HEADING + "11,A,img/1.png,9,9,5.4,2,30,40\n12,B,img/2.png,9,9,5,2,30,40\n").encode(),
        folder,
    )
    _write(f"{verify}/verify_comparisons_1.csv", b"11,12\n12,12\n", folder)
    _write(f"{search}/search_gallery_1.csv", (HEADING + "21,A,img/2.png,9,9,5,2,30,40\n").encode(), folder)
    _write(f"{search}/search_probe_1.csv", (HEADING + "11,B,img/1.png,9,9,5,2,30,40\n").encode(), folder)
    for number in (1, 2):
        _write(f"ijba/images/img/{number}.png", b"never opened here", folder)


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
        _write(f"hq/CelebA-HQ-img/{number}.jpg", b"never opened here", folder)
        _write(f"hq/CelebAMask-HQ-mask-anno/0/{number:05d}_skin.png", b"never opened here", folder)
    _write("hq/CelebAMask-HQ-attribute-anno.txt", b"2\nSmiling Male Young\n0.jpg 1 -1 1\n1.jpg -1 -1 1\n", folder)
    mapping = b"idx\torig_idx\torig_file\n0\t1\t000001.jpg\n1\t2\t000002.jpg\n"
    _write("hq/CelebA-HQ-to-CelebA-mapping.txt", mapping, folder)
    for name, text in CELEBA.items():
        _write(f"hq/{name}", text.encode(), folder)


def _sfhq(folder: Path) -> None:
    table = 'file,captions\n1.jpg,a person with blond hair\n2.jpg,black hair\n3.jpg,"gray hair, a hat"\n'
    _write("labels.csv", table.encode(), folder)


def _only(folder: Path) -> None:
    _celeba(folder)
    _write("only.txt", b"000001.jpg\nimg_align_celeba/000003.jpg\n", folder)


def _verify(file: str, folder: Path) -> None:
    provenance.verify(folder / file)


def _edited(file: str, folder: Path) -> None:
    Result(np.asarray(picture()), {"edit": "swap", "model": "rsgan", "inputs": {"a": "0" * 64}}).save(folder / file)


def _film(file: str, folder: Path) -> None:
    frames = [np.asarray(picture()), np.asarray(picture())[:, ::-1]]
    write_film(folder / file, frames, 2, 1.0, note=provenance.note({"edit": "morph"}))


def verify_readers() -> Iterator[Reader]:
    """Everything that `masque verify` looks at."""
    for file in ("out.png", "out.jpg", "out.webp"):
        yield Reader(
            f"verify: {file[4:]}",
            file,
            partial(_edited, file),
            partial(_verify, file),
            mutations.of_png if file == "out.png" else None,
        )
    for file in ("out.mp4", "out.gif"):
        yield Reader(f"verify: {file[4:]}", file, partial(_film, file), partial(_verify, file))


READERS: tuple[Reader, ...] = (
    *picture_readers(),
    *file_readers(),
    *verify_readers(),
    *list_readers(),
    *prepared_readers(),
    *model_readers(),
    *run_readers(),
)
