"""Puppets: a parametric head with exact truth for everything that the toolkit has to find, swap or edit.

A swap of two puppets and an edit of one are puppets again, so their true pictures are known, which no photo gives.

    world       what a puppet is, and how one is drawn from a seed
    truth       what is known about a picture: landmarks, label map, mask, attributes; the true swap, edit and style
    render      from a puppet to its picture and its truth

What `render` goes through, in this order:

    curves      the few functions that every shape is made of
    head        the head as it is built: skull, nose, eye sockets, lips
    movements   how identity and expression move its points
    surfaces    all surfaces as grids of points: head, ears, hair, shoulders, glasses
    textures    what is painted on the head
    model       what all puppets share: S = S_mean + A_id alpha_id + A_exp alpha_exp
    posing      one puppet's points, turned, lit, and placed in the face frame
    raster      which surface is nearest at each sample of the picture
    paint       what colour and label a surface has there

Space is in mm about the middle between the eyes: x to the picture's right, y up, z towards the viewer. "Left" and
"right" of a part are those of the picture. Colours are in linear light until `render` encodes the picture."""

from masque.data.puppets.model import LANDMARKS, coefficients, vertices
from masque.data.puppets.movements import EXPRESSION, IDENTITY
from masque.data.puppets.render import puppets, render
from masque.data.puppets.truth import ATTRIBUTES, Rendered, attributes_of, true_edit, true_style, true_swap
from masque.data.puppets.world import HAIR_COLOURS, Backdrop, Face, Gaze, Hair, Light, Pose, Puppet, draw_puppet

__all__ = [
    "ATTRIBUTES",
    "EXPRESSION",
    "HAIR_COLOURS",
    "IDENTITY",
    "LANDMARKS",
    "Backdrop",
    "Face",
    "Gaze",
    "Hair",
    "Light",
    "Pose",
    "Puppet",
    "Rendered",
    "attributes_of",
    "coefficients",
    "draw_puppet",
    "puppets",
    "render",
    "true_edit",
    "true_style",
    "true_swap",
    "vertices",
]
