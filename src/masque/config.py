"""Settings as frozen dataclasses: read from presets, `key=value` texts and JSON, and refused in plain sentences.

A family has three: the config of its networks, the settings of its training, and `RunSettings`.

Settings that belong together may stand in a group, a frozen dataclass of their own that is the type of a field:

    @dataclass(frozen=True)
    class Schedule:
        decay_from: int = 0
        decay_to: int = 0

    @dataclass(frozen=True)
    class RSGANTraining:
        lr: float = 2e-4
        schedule: Schedule = Schedule(decay_to=4000)

    training = with_values(RSGANTraining(), {"lr": 1e-3, "decay_from": 3000})

Code reads `training.schedule.decay_from`. Users see flat names: `--set decay_from=3000`, presets, settings.json, cards.
So a name stands once in a config and its groups; a test holds that for a family's three configs together. Every field
has a default: a preset changes some of the defaults, those of groups too, and RANGES and BELOW_1 hold in groups.

A setting that is renamed or removed is named in the class variable `former` of the class that had it (see `Former`).
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar, TypeVarTuple

from masque.errors import LONGEST_QUOTE, SettingError, nearest, printable
from masque.jsonfile import JSON

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

C = TypeVar("C", bound="DataclassInstance")
Configs = TypeVarTuple("Configs")


class ModelConfig(Protocol):
    """The config dataclass of any family's networks."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[object]]]

    @property
    def size(self) -> int:
        """Side in pixels of the pictures that the networks take or make."""
        ...

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes that the networks know, in their order."""
        ...


LARGEST_SEED = 2**31 - 1
"""The largest seed: what is computed from seed, step and place in the batch still fits into 64 bits."""

LARGEST_NUMBER = 2**31 - 1
"""The largest number that a setting can be, unless RANGES says another."""

WIDTHS = (
    *("channels", "encoder_channels", "part_channels", "judge_channels", "parser_channels", "widest", "critic"),
    *("width", "id_width", "shape_width", "encoder", "features", "z", "z_appearance", "z_attributes", "noise"),
    *("identity", "expression", "shape_identity", "shape_expression", "group", "ways"),
)
"""Settings that count channels, or entries of a vector."""

COUNTS = ("r1_every", "judge_steps", "steps", "log_every", "save_every", "preview_every", "keep")
"""Settings that count steps or files, of which there is one at least."""

RANGES: Mapping[str, tuple[float, float]] = {
    "size": (4, 2048),
    **dict.fromkeys(("coarse", "seen", "grown"), (0, 2048)),
    "halvings": (1, 12),
    "blocks": (0, 256),
    **dict.fromkeys(WIDTHS, (1, 65_536)),
    "fine": (0, 65_536),
    **dict.fromkeys(("people", "id_people"), (1, 10_000_000)),
    "batch_size": (1, 65_536),
    "workers": (-1, 1024),
    **dict.fromkeys(COUNTS, (1, LARGEST_NUMBER)),
    **dict.fromkeys(("beta", "decay_factor"), (0, 1)),
}
"""Setting -> the least and the largest number that it can be: a name means the same in every family. Settings that are
not named here are 0 or more."""

BELOW_1 = frozenset({"dropout", "beta2", "ema", "zoom", "colour", "margin"})
"""Settings that are at least 0 and below 1."""

MOST_NAMES = 1000
"""How many names a setting that is a list of names, such as attributes, can have."""


@dataclass(frozen=True)
class RunSettings:
    """The settings that every training run has, whatever it trains."""

    steps: int = 120_000
    """After how many steps the run ends, counted from its beginning. In each step every phase that is due updates its
    networks once."""
    batch_size: int = 50
    """Pictures per step, over all processes."""
    seed: int = 0
    """Decides the networks' first weights, the order of the pictures and all that is random in a step."""
    precision: str = "auto"
    """In which numbers networks compute: auto (bf16 where the device has it), bf16, 32 or 64 bits."""
    channels_last: bool = True
    """Whether pictures and weights lie in memory pixel by pixel, which most devices compute faster."""
    compile: bool = False
    """Whether networks are compiled with torch.compile: some minutes at the start, and faster steps after."""
    ema: float = 0.999
    """What share of the averaged weights, which users get, is kept in each step."""
    log_every: int = 50
    """Steps between entries of log.jsonl."""
    save_every: int = 500
    """Steps between saved states."""
    preview_every: int = 500
    """Steps between preview pictures."""
    keep: int = 3
    """How many of the latest states stay on disk."""
    tensorboard: bool = False
    """Whether the log is written for TensorBoard as well."""
    workers: int = -1
    """Processes that make batches; 0 leaves it to a thread, and -1 takes as many as are worth it: none where the CPU
    trains as well."""
    flip: bool = True
    """Whether half of the pictures are mirrored, by chance."""
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
    {
        *("steps", "log_every", "save_every", "preview_every", "keep", "tensorboard", "workers"),
        *("decay_shape", "decay_from", "decay_to", "decay_factor"),
    }
)
"""Settings that may change when a run is resumed: how it is run and watched, and how its learning rates fall
(`masque.train.rates.Schedule`)."""


Setting = bool | int | float | str | tuple[str, ...] | None
"""What a setting can be."""


class Preset(typing.TypedDict):
    """The settings that a preset changes, by their flat names; all others are their classes' defaults."""

    model: Mapping[str, Setting]
    training: Mapping[str, Setting]
    run: Mapping[str, Setting]


Presets = Mapping[str, Preset]
"""A family's presets, by their names."""


@dataclass(frozen=True)
class Removed:
    """A setting that is no more."""

    instead: str
    """The end of a sentence that begins "There is no setting NAME any more: " and says what holds or what to do now."""
    neutral: JSON = None
    """The value at which it did nothing, with which a run or model of an earlier version loads; None: at no value."""


@dataclass(frozen=True)
class Former:
    """Settings that a config dataclass or one of its groups had in earlier versions: its class variable `former`."""

    removed: Mapping[str, Removed] = dataclasses.field(default_factory=dict)
    """Former setting -> what holds now."""
    translate: Callable[[dict[str, JSON]], None] | None = None
    """Changes the flat values of an earlier version's whole config into this one's, where that means exactly the same:
    what it leaves of removed settings is refused with their sentence. It gets all values, of any type."""
    renamed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Former setting -> the name that it has now, with the same values."""
    choices: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    """Setting -> a former choice of it -> the name that this choice has now."""


def settings_of(kind: type[DataclassInstance]) -> dict[str, object]:
    """The settings of a config dataclass and its groups by their flat names, with the type of each."""
    kinds, found = typing.get_type_hints(kind), dict[str, object]()
    for field in dataclasses.fields(kind):
        hint = kinds[field.name]
        own = settings_of(hint) if isinstance(hint, type) and dataclasses.is_dataclass(hint) else {field.name: hint}
        assert not found.keys() & own.keys(), f"{kind.__name__} has a setting twice: {found.keys() & own.keys()}"
        found |= own
    return found


def values_of(config: DataclassInstance) -> dict[str, object]:
    """The values of a config dataclass and its groups by their flat names."""
    found: dict[str, object] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        found |= values_of(value) if _is_group(value) else {field.name: value}
    return found


def with_values(config: C, values: Mapping[str, object]) -> C:
    """A copy of a config with other values of some settings, by their flat names. Raises TypeError for a name that it
    does not have, and SettingError where values do not go together."""
    left, own = dict(values), dict[str, object]()
    for field in dataclasses.fields(config):
        group = getattr(config, field.name)
        if _is_group(group):
            inner = {name: left.pop(name) for name in settings_of(type(group)).keys() & left.keys()}
            own |= {field.name: with_values(group, inner)} if inner else {}
        elif field.name in left:
            own[field.name] = left.pop(field.name)
    if left:
        raise TypeError(f"{type(config).__name__} has no setting {next(iter(left))}")
    return dataclasses.replace(config, **own)


def _is_group(value: object) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _formers(kind: type[DataclassInstance]) -> Iterator[Former]:
    if isinstance(former := getattr(kind, "former", None), Former):
        yield former
    for field in dataclasses.fields(kind):
        hint = typing.get_type_hints(kind)[field.name]
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            yield from _formers(hint)


def _no_setting(name: str, kinds: Sequence[type[DataclassInstance]]) -> SettingError:
    """Why there is no setting `name`: replaced by another, or not known at all."""
    for former in (former for kind in kinds for former in _formers(kind)):
        if name in former.removed:
            return SettingError(f"There is no setting {name} any more: {former.removed[name].instead}.")
        if name in former.renamed:
            return SettingError(f"There is no setting {name} any more: its name is {former.renamed[name]}.")
    known = sorted({name for kind in kinds for name in settings_of(kind)})
    return SettingError(f"There is no setting {printable(name)}; {nearest(name[:LONGEST_QUOTE], known)}.")


def check_ranges(config: DataclassInstance) -> None:
    """Raise SettingError where a number of a config dataclass is not finite or outside its range, or where it lists a
    name twice or an odd one."""
    for name, value in values_of(config).items():
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


def override(configs: tuple[*Configs], assignments: Sequence[str]) -> tuple[*Configs]:
    """The given config dataclasses with `key=value` assignments applied, each to the first config that has such a
    setting.

    Raises SettingError for text that is no assignment, for a setting that none has (with what replaced it, or the
    nearest name), and for a value of a wrong type or outside its range."""
    given: list[DataclassInstance] = list(configs)  # type: ignore[arg-type]
    kinds = [settings_of(type(config)) for config in given]
    changes: list[dict[str, object]] = [{} for _ in given]
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise SettingError(f"{printable(repr(assignment))} is not of the form key=value, such as batch_size=16.")
        owner = next((number for number, known in enumerate(kinds) if key in known), None)
        if owner is None:
            raise _no_setting(key, [type(config) for config in given])
        changes[owner][key] = parse(key, text, kinds[owner][key])
    made = tuple(with_values(config, change) for config, change in zip(given, changes, strict=True))
    for config in made:
        check_ranges(config)
    return made  # type: ignore[return-value]


def parse(key: str, text: str, kind: object) -> object:
    """`text` as a value of the type `kind`: bool, int, float, str, a Literal, or a comma-separated tuple of strings."""
    try:
        if kind is bool:
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
        if kind is float:
            return _finite(float(text))
        if kind is int:
            return int(text)
        if kind is str:
            return text
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


def _in_words(kind: object) -> str:
    if isinstance(kind, types.UnionType):
        return " or ".join(map(_in_words, typing.get_args(kind)))
    if typing.get_origin(kind) is tuple:
        return "a list of texts"
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", types.NoneType: "none"}
    return next((text for known, text in words.items() if kind is known), str(kind))


def _fits(value: object, kind: object) -> bool:
    """Whether a value read from JSON is of the type `kind`, one of those that `parse` knows."""
    if isinstance(kind, types.UnionType):
        return any(_fits(value, part) for part in typing.get_args(kind))
    if typing.get_origin(kind) is typing.Literal:
        return value in typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        return isinstance(value, list | tuple) and all(isinstance(part, str) for part in value)
    return type(value) in ((int, float) if kind is float else (kind,))


def as_dict(config: DataclassInstance) -> dict[str, JSON]:
    """The settings of a config dataclass and its groups by their flat names, as plain JSON values."""
    plain: dict[str, JSON] = json.loads(json.dumps(values_of(config)))
    return plain


def upgrade(kind: type[DataclassInstance], values: Mapping[str, JSON]) -> dict[str, JSON]:
    """The flat values of a whole config that any version wrote, as this version says them. Raises SettingError for a
    former setting of which the meaning cannot be said exactly."""
    translated = dict(values)
    for former in _formers(kind):
        for name, name_now in former.renamed.items():
            if name in translated:
                translated[name_now] = translated.pop(name)
        for name, choices in former.choices.items():
            choice = translated.get(name)
            if isinstance(choice, str) and choice in choices:
                translated[name] = choices[choice]
        for name, setting in former.removed.items():
            if setting.neutral is not None and translated.get(name) == setting.neutral:
                del translated[name]
        if former.translate is not None:
            former.translate(translated)
    for former in _formers(kind):
        if left := sorted(translated.keys() & former.removed.keys()):
            raise _no_setting(left[0], [kind])
    return translated


def from_dict(kind: type[C], values: JSON) -> C:
    """The config dataclass of type `kind` with these flat values, which any version of Masque wrote; lists become
    tuples.

    Raises SettingError for a value that no field takes, or that its field does not: it comes from a newer version, or
    is damaged."""
    known = settings_of(kind)
    if not isinstance(values, Mapping):
        raise SettingError(f"{printable(repr(values))} stands where settings should.")
    values = upgrade(kind, values)
    for name, value in values.items():
        if name not in known:
            raise _no_setting(name, [kind])
        if not _fits(value, known[name]):
            raise SettingError(f"{name} is {printable(repr(value))} and should be {_in_words(known[name])}.")
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    made = with_values(kind(), plain)
    check_ranges(made)
    return made
