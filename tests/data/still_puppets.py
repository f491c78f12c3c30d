"""Puppets that hold still, so that a test can look at one thing at a time."""

from __future__ import annotations

import dataclasses

from masque.data.puppets import Gaze, Pose, Puppet, draw_puppet

STILL = {
    "pose": Pose(0.0, 0.0, 0.0),
    "expression": (0.0,) * 10,
    "gaze": Gaze(0.0, 0.0),
    "bangs": 0.0,
    "bald": 0.0,
    "glasses": 0.0,
}


def with_changes(puppet: Puppet, **changes: object) -> Puppet:
    """The puppet with these fields, which may be its face's or its hair's, changed."""
    parts = {"face": puppet.face, "hair": puppet.hair}
    own = {}
    for name, value in changes.items():
        holders = [part for part, holder in parts.items() if name in {f.name for f in dataclasses.fields(holder)}]
        if holders:
            parts[holders[0]] = dataclasses.replace(parts[holders[0]], **{name: value})
        else:
            own[name] = value
    return dataclasses.replace(puppet, **parts, **own)


def still_puppet(seed: int = 3, **changes: object) -> Puppet:
    """A puppet that looks straight ahead with a closed mouth and a bare forehead, unless `changes` says otherwise."""
    return with_changes(draw_puppet(seed), **(STILL | changes))
