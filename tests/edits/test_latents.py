"""Combining and morphing: formulas and paths by hand, latent files, and what cannot be done."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save, save_file

from masque import runs
from masque.data.puppets import draw_puppet, render
from masque.edits.invert import Options
from masque.edits.latents import read_latent
from masque.edits.loaded import LatentEditor
from masque.edits.morph import frame_positions, point_between
from masque.edits.morph_warp import warp_morph
from masque.edits.sample import TRUNCATION
from masque.errors import CheckpointError, PictureError, ValueRangeError
from masque.faces.crop import cut_head
from robustness import mutations


@pytest.fixture(scope="module")
def session() -> LatentEditor:
    return LatentEditor(runs.build_recipe(runs.plan("progan", "tiny")).model, "progan", "0" * 16)


@pytest.fixture
def three(session):
    return [
        session.latent(torch.randn(16, generator=torch.Generator().manual_seed(i)), name)
        for i, name in enumerate("xyz")
    ]


def test_two_faces_by_weight(session, three):
    first, middle, last = (session.combine(three[:2], weight=w) for w in (0.0, 0.5, 1.0))
    assert np.array_equal(first.picture, next(session.pictures(three[0].z[None])))
    assert np.array_equal(last.picture, next(session.pictures(three[1].z[None])))
    assert not np.array_equal(middle.picture, first.picture)
    assert (middle.record["formula"], middle.record["faces"]) == ("0.5*a + 0.5*b", ["x", "y"])
    assert np.array_equal(session.combine(three, "a - b + b").picture, first.picture)


def test_what_cannot_be_combined(session, three):
    with pytest.raises(ValueRangeError, match="two faces are combined, not 3"):
        session.combine(three)
    with pytest.raises(ValueRangeError, match=r"outside \[0, 1\]"):
        session.combine(three[:2], weight=1.5)
    with pytest.raises(ValueRangeError, match="leaves no face"):
        session.combine(three, "a - a")
    other = LatentEditor(session.model, "progan", "1" * 16)
    with pytest.raises(CheckpointError, match=r"0000000000000000.*1111111111111111"):
        other.combine(three[:2])
    with pytest.raises(PictureError, match="album holds no photos"):
        session.average([], "album")


def test_the_mean_of_several_examples_is_one_operand(session, three):
    mean = session.average(three, "album")
    wanted = torch.stack([latent.z for latent in three]).mean(dim=0)
    assert torch.allclose(mean.z[:16], wanted * wanted.square().mean().rsqrt(), atol=1e-6)
    assert not mean.z[16:].any()


def test_paths_by_hand():
    a, b = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    assert torch.allclose(point_between([a, b], 0.5, "linear"), torch.tensor([1.0, 1.0]))
    assert torch.allclose(point_between([a, b], 0.5, "spherical"), torch.full((2,), math.sqrt(2)))
    assert torch.allclose(point_between([a, b], 1 / 3, "spherical").norm(), torch.tensor(2.0))
    assert torch.equal(point_between([a, b, a], 2.0, "spherical"), a)
    assert torch.allclose(point_between([a, b, a], 1.0, "spherical"), b, atol=1e-6)
    for path in ("linear", "spherical"):
        assert torch.allclose(point_between([a, a], 0.3, path), a)
        assert point_between([a, -a], 0.5, path).isfinite().all()


def test_details_go_straight_on_any_path(session, three):
    a, b = torch.tensor([2.0, 0.0, 1.0]), torch.tensor([0.0, 2.0, 3.0])
    assert torch.allclose(point_between([a, b], 0.5, "spherical", 2), torch.tensor([math.sqrt(2), math.sqrt(2), 2.0]))
    rich = session.latent(torch.cat([three[0].z, torch.ones(session.model.widths[-1] - 16)]), "rich")
    along = session.interpolate([rich, three[1]], 3, ease="linear")
    assert torch.allclose(along[:, 16:].mean(dim=1), torch.tensor([1.0, 0.5, 0.0]))
    (last,), (own,) = session.pictures(along[2:]), session.pictures(three[1].z[None])
    assert np.abs(last.astype(int) - own).max() <= 1
    mixed = session.combine([rich, three[1], three[2]], "a - b + c").picture
    assert not np.array_equal(mixed, session.combine([three[0], three[1], three[2]], "a - b + c").picture)
    # Twice a face is the face, with its detail too, as only the direction of z counts.
    (twice,) = session.pictures(rich.z[None])
    assert np.abs(session.combine([rich], "2 * a").picture.astype(int) - twice).max() <= 1


def test_times_by_hand():
    assert frame_positions(2, 5, "linear") == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert frame_positions(3, 5, "smooth") == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert frame_positions(2, 5, "smooth")[1] == pytest.approx(0.15625)
    with pytest.raises(ValueRangeError, match="two faces at least"):
        frame_positions(1, 5, "smooth")
    with pytest.raises(ValueRangeError, match="morph of 0 frames"):
        frame_positions(2, 0, "smooth")


def test_a_morph_goes_from_face_to_face(session, three):
    frames = list(session.morph(three, 9, path="linear", ease="linear"))
    stops = list(session.pictures(torch.stack([latent.z for latent in three])))
    assert len(frames) == 9
    for at, stop in zip((0, 4, 8), stops, strict=True):
        assert np.abs(frames[at].astype(int) - stop).max() <= 1
    loop = list(session.morph(three[:2], 5, loop=True))
    assert np.abs(loop[0].astype(int) - loop[-1]).max() <= 1
    many = list(session.morph(three, 40))  # more than are made at once
    assert len(many) == 40


def test_who_takes_pictures_one_by_one_is_not_left_in_inference_mode(session, three):
    frames = session.morph(three, 5)
    next(frames)
    assert not torch.is_inference_mode_enabled()


def test_samples_are_drawn_by_their_seed(session):
    sheet, again, other = session.sample(5, seed=3), session.sample(5, seed=3), session.sample(5, seed=4)
    assert np.array_equal(sheet.picture, again.picture)
    assert not np.array_equal(sheet.picture, other.picture)
    assert sheet.picture.shape == (2 * 16 + 2, 3 * 16 + 4, 3)
    with pytest.raises(ValueRangeError, match="0 faces cannot be drawn"):
        session.sample(0)


def test_samples_are_truncated_as_far_as_asked(session):
    bias = session.model.G.first.bias.data
    bias.copy_(torch.randn_like(bias))  # a trained one's; without any, the length of z is normalised away
    try:
        usual, whole, said = (
            session.sample(4),
            session.sample(4, truncation=1.0),
            session.sample(4, truncation=TRUNCATION),
        )
    finally:
        bias.zero_()
    assert np.array_equal(usual.picture, said.picture)
    assert not np.array_equal(usual.picture, whole.picture)
    assert usual.record["truncation"] == TRUNCATION
    with pytest.raises(ValueRangeError, match="from 0 to 1"):
        session.sample(4, truncation=1.5)


def test_latents_are_kept_in_files(three, tmp_path):
    path = three[0].save(tmp_path / "a.safetensors")
    again = read_latent(path)
    assert torch.equal(again.z, three[0].z)
    assert (again.name, again.weights) == ("x", "0" * 16)
    words, foreign = tmp_path / "words.safetensors", tmp_path / "foreign.safetensors"
    words.write_text("words")
    save_file({"z": torch.ones(3)}, foreign)
    for bad in (words, foreign, tmp_path / "missing.safetensors", tmp_path):
        with pytest.raises(CheckpointError, match=r"no latent.*masque invert"):
            read_latent(bad)


def test_damaged_latents_are_refused_in_one_sentence(session, three, tmp_path, capfd):
    path = three[0].save(tmp_path / "a.safetensors")
    whole, about = path.read_bytes(), {"masque": "latent", "name": "x", "weights": "0" * 16}
    odd = [("another name", save({"y": torch.ones(16)}, about)), ("no note", save({"z": torch.ones(16)}))]
    odd.append(("half a note", save({"z": torch.ones(16)}, {"masque": "latent"})))
    for kind in ("float64", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "int64", "bool", "complex64"):
        odd.append((f"as {kind}", save({"z": torch.zeros(16).to(getattr(torch, kind))}, about)))
    for value in (math.nan, math.inf, 1e38, 1e300):
        odd.append((f"of {value}", save({"z": torch.full((16,), value, dtype=torch.float64)}, about)))
    for shape in ((), (0,), (16, 2), (15,)):
        odd.append((f"of shape {shape}", save({"z": torch.ones(shape)}, about)))
    for kind in ("F8_E8M0", "F4", "C64", "X32", ""):
        odd.append((f"said to be {kind}", whole.replace(b'"F32"', f'"{kind}"'.encode())))
    for length in (0, 10**8, 2**64 - 1):
        odd.append((f"header of {length} bytes", length.to_bytes(8, "little") + whole[8:]))
    for header in (
        "[" * 5000,
        "[]",
        "7",
        '{"__metadata__":7}',
        '{"__metadata__":{"a":1}}',
        '{"z":7}',
        '{"z":{}}',
        '{"z":[]}',
        "\ud83d",
    ):
        text = header.encode("utf-8", "surrogatepass")
        odd.append((f"header {header[:20]}", len(text).to_bytes(8, "little") + text + bytes(64)))
    for name, data in [*odd, *mutations.of_bytes(whole, 300)]:
        path.write_bytes(data)
        said = "it can be drawn"
        try:
            latent = read_latent(path)
            assert bool(latent.z.isfinite().all()), name
            session.combine([latent, three[1]])
        except CheckpointError as error:
            said = str(error).replace(str(path), "")
        assert mutations.is_plain(said), name
    assert capfd.readouterr() == ("", "")


def test_a_photos_latent(session):
    photo = render(draw_puppet(3), 1.5).picture
    found = session.find(photo, Options(method="refine", iterations=3, detail=0))
    assert found.z.shape == (16,)
    assert session.find(photo, Options(method="refine", iterations=3, detail=2)).z.shape == (session.model.widths[-1],)
    assert found.weights == session.weights
    with pytest.raises(CheckpointError, match="likeness needs them"):
        session.find(photo, Options(likeness=1.0))


@pytest.fixture(scope="module")
def found(session, photos):
    """The latents of two photos, of which they know."""
    return [session.find(photo, Options(iterations=2, detail=0)) for photo in photos.values()]


def crop(latent, size):
    subject = latent.subject
    return cut_head(subject.photo, subject.face.landmarks, size).picture


def test_a_morph_passes_the_photos_themselves(session, found):
    frames = list(session.morph(found, 5, loop=True, size=96))
    assert [frame.shape for frame in frames] == [(96, 96, 3)] * 5
    for at, latent in ((0, found[0]), (2, found[1]), (4, found[0])):
        assert (frames[at] == crop(latent, 96)).all()
    assert np.array_equal(frames[1], frames[3])  # half way there, and half way back
    assert not np.array_equal(frames[1], frames[0])
    networks = list(session.morph(found, 5, loop=True, detail="network"))
    z = session.interpolate(found, 5, loop=True)
    assert all((a == b).all() for a, b in zip(networks, session.pictures(z), strict=True))


def test_frames_are_as_large_as_faces_up_to_512(session, found):
    for factor in (0.7, 1.0, 2.0):
        resized = [cv2.resize(one.subject.photo, None, fx=factor, fy=factor) for one in found]
        latents = [replace(one, subject=session.subject(photo)) for one, photo in zip(found, resized, strict=True)]
        largest = max(16 / np.linalg.norm(one.subject.matrix[:, 0]) for one in latents)
        side = next(session.morph(latents, 2)).shape[0]
        assert side % 2 == 0
        assert abs(side - min(512, largest)) <= 2


def test_a_latent_without_a_photo_is_passed_as_the_network_paints_it(session, found, tmp_path):
    stored = read_latent(found[0].save(tmp_path / "a.safetensors"))
    assert stored.subject is None
    first, last = session.morph([stored, found[1]], 2, size=96)
    (own,) = session.pictures(session.vectors([stored])[0][None])
    assert np.abs(first.astype(int) - cv2.resize(own, (96, 96), interpolation=cv2.INTER_CUBIC)).mean() < 2
    assert (last == crop(found[1], 96)).all()
    assert next(session.morph([stored, stored], 2)).shape == own.shape
    with pytest.raises(ValueRangeError, match="None of these latents has a photo"):
        session.morph([stored, stored], 2, size=96)


def test_combinations_of_photos_are_mixtures_of_their_pixels(session, found):
    first, middle, last = (session.combine(found, weight=w, size=96).picture for w in (0.0, 0.5, 1.0))
    assert (first == crop(found[0], 96)).all()
    assert (last == crop(found[1], 96)).all()
    morphed = list(session.morph(found, 3, path="linear", ease="linear", size=96))[1]
    assert (middle == morphed).all()
    assert (session.combine(found, "(a + b) / 2", size=96).picture == middle).all()
    network = session.combine(found, detail="network")
    assert network.picture.shape == (16, 16, 3)
    assert (network.record["detail"], network.record["formula"]) == ("network", "0.5*a + 0.5*b")


def test_where_a_face_is_taken_away_the_first_photo_is_changed(session, found):
    changed = session.combine(found, "1.5*a - 0.5*b", size=96).picture.astype(int)
    own, other = (crop(latent, 96).astype(int) for latent in found)
    assert 0 < np.abs(changed - own).mean() < 0.7 * np.abs(other - own).mean()


def test_the_mean_of_one_photo_has_that_photo(session, found):
    assert session.average(found[:1], "album").subject is found[0].subject
    assert session.average(found, "album").subject is None


def test_the_classical_morph_needs_no_generator():
    photos = [render(draw_puppet(seed), 1.5).picture for seed in (3, 8)]
    frames = list(warp_morph(photos, 5, loop=True))
    assert [frame.shape for frame in frames] == [(256, 256, 3)] * 5
    assert np.array_equal(frames[0], frames[-1])
    assert not np.array_equal(frames[0], frames[2])
