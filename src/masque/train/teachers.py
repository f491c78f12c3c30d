"""Models that a run learns from and leaves as they are. A run has copies of them in its folder, so that it goes on
though the models themselves are moved, changed or gone.

teachers/parser/, teachers/identity/: model folders, named as the setting that names the model
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from masque import modelfile
from masque.errors import CheckpointError
from masque.output import refused, write_atomically

FOLDER = "teachers"
"""The folder of a run that holds them."""


def own_copy(run: Path, setting: str) -> Path | None:
    """The run's own copy of the model that a setting names; None where it has none that can be read."""
    folder = run / FOLDER / setting
    try:
        modelfile.read(folder)
    except CheckpointError:
        return None
    return folder


def has_copy_of(run: Path, setting: str, model: str) -> bool:
    """Whether the run's own copy for a setting has the weights of the model in the folder `model`."""
    own = own_copy(run, setting)
    try:
        return own is not None and modelfile.read(Path(model)).hash == modelfile.read(own).hash
    except CheckpointError:
        return False


def copy_into(run: Path, setting: str, model: str) -> None:
    """Copy the model in the folder `model` into the run, unless the run has a copy for the setting already. Raises
    CheckpointError where there is no model, and OutputError."""
    if own_copy(run, setting) is not None:
        return
    source, target = modelfile.read(Path(model)).folder, run / FOLDER / setting
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refused(target, error) from None
    # config.json last: without it, it is no model.
    for name in ("weights.safetensors", "config.json"):
        write_atomically(target / name, partial(shutil.copyfile, source / name))
