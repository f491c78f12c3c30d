"""Portraits to begin with: two in the public domain, which come inside other libraries."""

from __future__ import annotations

from masque.image import Picture, read_picture


def sample_photos() -> dict[str, Picture]:
    """The two public-domain portraits that come inside scikit-image and matplotlib: both of NASA and the US Navy."""
    import matplotlib.cbook
    import skimage.data

    hopper = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    astronaut: Picture = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    return {"astronaut": astronaut, "grace_hopper": read_picture(str(hopper))}
