"""Settings of a run as frozen dataclasses: presets, overrides by name, checks with plain messages."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from masque.errors import LONGEST_QUOTE, SettingError, nearest, printable

D = TypeVar("D")

LARGEST_SEED = 2**31 - 1
"""Small enough that what is computed from seed, step and place in the batch fits into 64 bits."""


LARGEST_NUMBER = 2**31 - 1
"""That a setting can be, unless `RANGES` says another."""

RANGES: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("size",), (4, 2048)),
    **dict.fromkeys(("coarse", "seen", "grown"), (0, 2048)),
    **dict.fromkeys(("halvings",), (1, 12)),
    **dict.fromkeys(("blocks",), (0, 256)),
    **dict.fromkeys(
        (
            "channels", "encoder_channels", "part_channels", "judge_channels", "parser_channels", "widest", "width", "id_width",
            "shape_width", "encoder", "critic", "features", "z", "z_appearance", "z_attributes", "noise", "identity", "expression",
            "shape_identity", "shape_expression", "group",
        ),
        (1, 65_536),
    ),
    **dict.fromkeys(("fine",), (0, 65_536)),
    **dict.fromkeys(("people", "id_people"), (1, 10_000_000)),
    **dict.fromkeys(("batch_size",), (1, 65_536)),
    **dict.fromkeys(("workers",), (-1, 1024)),
    **dict.fromkeys(("r1_every", "critic_steps", "steps", "log_every", "save_every", "preview_every", "keep"), (1, LARGEST_NUMBER)),
    **dict.fromkeys(("certainty", "beta"), (0, 1)),
}  # fmt: skip
"""The numbers that settings can be, by name, the ends included: a name means the same in every family. Others are from
0 on."""

BELOW_1 = frozenset({"dropout", "beta1", "beta2", "ema", "zoom", "colour", "margin"})
"""Settings that are at least 0 and below 1."""

MOST_NAMES = 1000
"""In a setting that is a list of names, such as attributes."""


@dataclass(frozen=True)
class RunSettings:
    """What every training run has, whatever it trains."""

    steps: int = 120_000
    """Updates of the networks in all."""
    batch_size: int = 50
    """Pictures per step, over all processes."""
    seed: int = 0
    precision: str = "auto"
    """auto (bf16 where the device has it), bf16, 32 or 64."""
    channels_last: bool = True
    compile: bool = False
    """Compile the networks with torch.compile: some minutes at the start, faster steps after."""
    ema: float = 0.999
    """Decay of the averaged weights that users get."""
    log_every: int = 50
    save_every: int = 500
    preview_every: int = 500
    keep: int = 3
    """How many of the latest states stay on disk."""
    tensorboard: bool = False
    workers: int = -1
    """Processes that make batches; 0 leaves it to a thread, and -1 takes as many as are worth it: none where the CPU
    trains as well."""
    flip: bool = True
    """Mirror half of the pictures."""
    shift: float = 3.0
    """Largest random shift, in CelebA pixels."""
    turn: float = 3.0
    """Largest random rotation, in degrees."""
    zoom: float = 0.04
    """Largest random change of size, as a share."""
    colour: float = 0.1
    """Largest random change of brightness, contrast and saturation, as a share."""

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.precision not in ("auto", "bf16", "32", "64"):
            raise SettingError(f"precision is {self.precision} and must be auto, bf16, 32 or 64.")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise SettingError(f"seed is {self.seed} and must be from 0 to {LARGEST_SEED}.")


RESUMABLE = frozenset(
    {"steps", "decay_from", "decay_to", "log_every", "save_every", "preview_every", "keep", "tensorboard", "workers"}
)
"""Settings that may change when a run is resumed: they say nothing about the steps already made."""


def check_ranges(config: Any) -> None:
    """Raise SettingError where a number of a config dataclass is not finite or outside its range, or where it lists a
    name twice or an odd one."""
    for field in dataclasses.fields(config):
        name, value = field.name, getattr(config, field.name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            low, high = RANGES.get(name, (0, LARGEST_NUMBER))
            if name in BELOW_1 and not 0 <= value < 1:
                raise SettingError(f"{name} is {printable(repr(value))} and must be at least 0 and below 1.")
            if not low <= value <= high:
                bound = f"at most {high}" if value > high else f"at least {low}"
                raise SettingError(f"{name} is {printable(repr(value))} and must be {bound}.")
        elif isinstance(value, tuple):
            odd = next(
                (part for part in value if not part.strip() or not part.isprintable() or value.count(part) > 1), None
            )
            if odd is not None:
                raise SettingError(f"{name} lists {printable(repr(odd))}, which must be a name, and there once.")
            if len(value) > MOST_NAMES:
                raise SettingError(f"{name} lists {len(value)} names, and {MOST_NAMES} are the most.")


def override(configs: Sequence[Any], assignments: Sequence[str]) -> tuple[Any, ...]:
    """The given config dataclasses with `key=value` assignments applied, each to the config that has such a field.

    Raises SettingError for text that is no assignment, for a field that none has (with the nearest name), and for a
    value of a wrong type or outside its range."""
    changes: list[dict[str, Any]] = [{} for _ in configs]
    owners = {field.name: i for i, config in reversed(list(enumerate(configs))) for field in dataclasses.fields(config)}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise SettingError(f"{printable(repr(assignment))} is not of the form key=value, such as batch_size=16.")
        if key not in owners:
            raise SettingError(f"There is no setting {printable(key)}; {nearest(key[:LONGEST_QUOTE], sorted(owners))}.")
        owner = owners[key]
        changes[owner][key] = parse(key, text, typing.get_type_hints(type(configs[owner]))[key])
    made = tuple(dataclasses.replace(config, **change) for config, change in zip(configs, changes, strict=True))
    for config in made:
        check_ranges(config)
    return made


def parse(key: str, text: str, kind: Any) -> Any:
    """`text` as a value of the type `kind`: bool, int, float, str, a Literal, or a comma-separated tuple of strings."""
    try:
        if kind is bool:
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
        if kind is float:
            return _finite(float(text))
        if kind in (int, str):
            return kind(text)
        if typing.get_origin(kind) is typing.Literal:
            if text not in typing.get_args(kind):
                raise SettingError(
                    f"{key} is {printable(text)} and must be one of {', '.join(map(str, typing.get_args(kind)))}."
                )
            return text
        if typing.get_origin(kind) is tuple:
            return tuple(part for part in text.split(",") if part)
        if isinstance(kind, types.UnionType):
            return None if text.lower() == "none" else parse(key, text, typing.get_args(kind)[0])
    except (ValueError, KeyError):
        pass
    raise SettingError(f"{key}={printable(text)} does not fit: {key} is {_in_words(kind)}.")


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError
    return number


def _in_words(kind: Any) -> str:
    if isinstance(kind, types.UnionType):
        return " or ".join(map(_in_words, typing.get_args(kind)))
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", types.NoneType: "none"}
    return words.get(kind, "a list of texts" if typing.get_origin(kind) is tuple else str(kind))


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value read from JSON is of the type `kind`, one of those that `parse` knows."""
    if isinstance(kind, types.UnionType):
        return any(_fits(value, part) for part in typing.get_args(kind))
    if typing.get_origin(kind) is typing.Literal:
        return value in typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        return isinstance(value, list | tuple) and all(isinstance(part, str) for part in value)
    return type(value) in ((int, float) if kind is float else (kind,))


def as_dict(config: Any) -> dict[str, Any]:
    """A config dataclass as plain JSON values."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return plain


def from_dict(kind: type[D], values: Mapping[str, Any]) -> D:
    """The config dataclass of type `kind` with these values; lists become tuples.

    Raises SettingError for a value that no field takes, or that its field does not: it comes from another version, or
    is damaged."""
    fields = typing.get_type_hints(kind)
    if not isinstance(values, Mapping):
        raise SettingError(f"{printable(repr(values))} stands where settings should.")
    for name, value in values.items():
        if name not in fields:
            raise SettingError(
                f"There is no setting {printable(name)}; {nearest(name[:LONGEST_QUOTE], sorted(fields))}."
            )
        if not _fits(value, fields[name]):
            raise SettingError(f"{name} is {printable(repr(value))} and should be {_in_words(fields[name])}.")
    made = kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
    check_ranges(made)
    return made


def seconds(text: str) -> float:
    """A duration such as 90, 90s, 9m, 1h30m or 2h, in seconds. Raises SettingError for anything else or for nothing."""
    match = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?", text.strip())
    if not text.strip() or match is None:
        raise SettingError(f"{printable(repr(text))} is not a duration: write 90s, 9m or 1h30m.")
    hours, minutes, rest = (float(part or 0) for part in match.groups())
    total = 3600 * hours + 60 * minutes + rest
    if not math.isfinite(total):
        raise SettingError(f"{printable(repr(text))} is longer than can be counted: write 90s, 9m or 1h30m.")
    if total <= 0:
        raise SettingError(f"{printable(repr(text))} is no time at all: write 90s, 9m or 1h30m.")
    return total
