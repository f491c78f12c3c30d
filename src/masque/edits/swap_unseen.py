"""What a face shows on neither of its sides, as RSGAN paints it: its picture of the face in the other photo, where
there are no pixels to move."""

from __future__ import annotations

import cv2
import numpy as np

from masque.edits.rsgan import RSGANSession
from masque.edits.subject import Subject, cut_again
from masque.edits.swap_mask import FACE, outline
from masque.edits.swap_sides import Side
from masque.faces.carried import Canvas
from masque.faces.frame import chain, invert, warp
from masque.faces.outlines import disc, hull_of
from masque.faces.skin_match import Maps, blurred
from masque.image import Picture
from masque.models.rsgan import RSGANLatents

LITTLE = 0.02
"""What share of a face's region may be unseen before the network is asked."""


def painted_side(
    network: RSGANSession, source: Subject, target: Subject, side: Side, seen: Maps, others: Maps, canvas: Canvas
) -> Side | None:
    """RSGAN's picture of the source's face in the target's photo, taken where the source shows nothing of itself and
    the photo shows a face; None where that is too little to matter.

    side: the face as it is. seen: how surely it shows itself on either side, (h,w). others: the photo's label shares
    (11,h,w)."""
    region = hull_of(outline(side.carried, canvas), canvas.size) > 0
    hidden = region & (seen < 0.5) & (others[FACE].sum(axis=0) > 0.5)
    if hidden.sum() <= LITTLE * region.sum():
        return None
    grown = cv2.dilate(hidden.astype(np.float32), disc(0.02 * canvas.width))
    share = blurred(grown, 0.015 * canvas.width)
    picture = _painted(network, source, target, canvas)
    return Side(side.carried, side.field, others, share, picture, share, painted=True)


def _painted(network: RSGANSession, source: Subject, target: Subject, canvas: Canvas) -> Picture:
    """RSGAN's picture of the source's face with the target's hair, on a canvas of the target's photo, (h,w,3)."""
    own, other = (cut_again(one, network.size, network.device) for one in (source, target))
    face, hair = network.encode(own), network.encode(other)
    composed = network.compose(RSGANLatents(face.xf, face.cf, hair.xh, hair.ch))[0]
    left, top = canvas.box[:2]
    scale = 1 / canvas.scale
    to_photo = np.array([[scale, 0, 0.5 * scale - 0.5 + left], [0, scale, 0.5 * scale - 0.5 + top]])
    onto_canvas = invert(chain(to_photo, other.matrix))
    return warp(composed, onto_canvas, canvas.size, border=cv2.BORDER_REPLICATE)
