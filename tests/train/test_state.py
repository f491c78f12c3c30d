"""States on disk: whole or not there, refused when damaged, foreign or newer; and which runs count as the same."""

from __future__ import annotations

import copy
import json
import math
import re

import pytest
import torch
from small_runs import differing

from masque.config import RESUMABLE
from masque.errors import CheckpointError
from masque.train.fitting import check_optimizer, check_state
from masque.train.state import VERSION, load_state, open_run, same_run, save_state, states

SETTINGS = {"family": "line", "run": {"batch_size": 8, "steps": 100, "keep": 3}, "data": "abc"}


def test_what_is_saved_is_loaded(tmp_path):
    state = {
        "nets": {"a": {"w": torch.randn(2, 3), "n": torch.tensor(3)}},
        "optimizers": {"a": {"state": {0: {"step": 4.0}}}},
    }
    path = save_state(tmp_path, 12, state, keep=2)
    loaded = load_state(path)
    assert path.name == "state-12.ckpt"
    assert loaded.pop("step") == 12
    assert loaded.pop("masque") == VERSION
    assert differing(loaded, state) == []


def test_states_are_found_by_number_and_only_complete_ones(tmp_path):
    for name in (
        "state-100.ckpt",
        "state-9.ckpt",
        ".state-200.ckpt.31.part",
        "state-x.ckpt",
        "state-7.ckpt.old",
        "log.jsonl",
    ):
        (tmp_path / name).touch()
    assert [step for step, _ in states(tmp_path)] == [9, 100]
    assert states(tmp_path / "missing") == []


def test_the_oldest_go_and_the_newest_stay(tmp_path):
    for step in (5, 90, 100, 1000):
        save_state(tmp_path, step, {}, keep=2)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["state-100.ckpt", "state-1000.ckpt"]


def damage_middle(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_all(path):
    path.write_bytes(b"")


def damage_weights(path):
    """A pickle that would run code: refused by weights_only."""
    torch.save({"masque": VERSION, "step": 1, "call": print}, path)


def damage_text(path):
    path.write_text("step 10")


def with_(*place_and_value):
    """The state with one value replaced; without it where the value is ...."""
    *place, value = place_and_value

    def damage(path):
        state = torch.load(path, weights_only=True)
        at = state
        for name in place[:-1]:
            at = at[name]
        if value is ...:
            del at[place[-1]]
        else:
            at[place[-1]] = value
        torch.save(state, path)

    return damage


NAN = torch.tensor([[math.nan]])
MOMENTUM = ("optimizers", "line", "state", 0, "momentum_buffer")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        *((damage, r"cannot be read \(\w+\)") for damage in (damage_middle, damage_all, damage_weights, damage_text)),
        *(
            (with_(name, value), "was not written by Masque")
            for name in ("masque", "step")
            for value in ("1", None, True, ..., 1.0)
        ),
        (with_("step", 9), "holds another step than its name says"),
        *(
            (with_(*group, ...), "does not fit: it has no line among its")
            for group in (("nets",), ("optimizers",), ("nets", "line"))
        ),
        (with_("nets", "line", "weight", ...), "does not fit: its network line has other weights"),
        (with_("nets", "line", "more", NAN), "does not fit: its network line has other weights"),
        (
            with_("nets", "line", "weight", torch.zeros(2, 1)),
            "does not fit: its network line: weight is of another shape or kind",
        ),
        (with_("nets", "line", "weight", torch.zeros(1, 1).double()), "is of another shape or kind"),
        (with_("nets", "line", "weight", torch.zeros(1, 1).to_sparse()), "is of another shape or kind"),
        (with_("nets", "line", "weight", torch.zeros(1, 1, device="meta")), "is of another shape or kind"),
        (with_("nets", "line", "weight", 3.0), "is of another shape or kind"),
        (with_("nets", "line", "weight", NAN), "its network line holds numbers that are not finite"),
        (
            with_("nets", "spare", "running_var", torch.tensor([math.inf])),
            "its network spare holds numbers that are not finite",
        ),
        (with_("average", "line.bias", torch.tensor([math.inf])), "its average holds numbers that are not finite"),
        (with_("average", []), "its average has other weights"),
        (with_("optimizers", "line", None), "its optimizer of line is another"),
        (with_("optimizers", "line", "param_groups", []), "its optimizer of line is another"),
        (with_("optimizers", "line", "param_groups", 0, "params", [0]), "its optimizer of line is another"),
        (with_("optimizers", "line", "param_groups", 0, "params", NAN), "its optimizer of line is another"),
        (with_("optimizers", "line", "param_groups", 0, "lr", math.nan), "its optimizer of line is another"),
        (with_("optimizers", "line", "state", 7, {}), "its optimizer of line is another"),
        (with_("optimizers", "line", "state", 0, {}), "its optimizer of line is another"),
        (with_(*MOMENTUM, torch.zeros(3)), "its optimizer of line: momentum_buffer is of another shape or kind"),
        (with_(*MOMENTUM, None), "its optimizer of line: momentum_buffer is of another shape or kind"),
        (with_(*MOMENTUM, NAN), "its optimizer of line holds numbers that cannot be"),
    ],
)
def test_a_run_goes_on_from_the_newest_state_that_can_be_used(tmp_path, damage, reason, line_engine, points, caplog):
    """What is damaged is named and stays; where all of it is, nothing is taken over and one sentence says so."""
    run = tmp_path / "run"
    line_engine(steps=10).fit(points)
    assert (line_engine().step, caplog.text) == (10, "")
    damage(run / "state-10.ckpt")
    left = (run / "state-10.ckpt").read_bytes()
    engine = line_engine()
    (record,) = caplog.records
    assert re.fullmatch(rf".*state-10.ckpt .*{reason}.*; the run goes on from step 5\.", record.getMessage())
    assert record.getMessage().isprintable()
    fifth = load_state(run / "state-5.ckpt")
    assert engine.step == 5
    assert differing(engine.state(), {name: fifth[name] for name in ("nets", "optimizers", "average")}) == []
    assert (run / "state-10.ckpt").read_bytes() == left
    for other in (0, 5):
        (run / f"state-{other}.ckpt").unlink()
    with pytest.raises(
        CheckpointError, match=r"There is no state in .* to go on from \(.*state-10.ckpt .*\): choose another --out\.$"
    ):
        line_engine()


def test_what_is_passed_over_is_never_pruned_for_and_pruned_in_its_turn(tmp_path, line_engine, points):
    """States of later steps that cannot be used push no good one out."""
    run = tmp_path / "run"
    line_engine(steps=5, keep=2).fit(points)
    for step in (7, 8, 90):
        (run / f"state-{step}.ckpt").write_text("foreign")
    engine = line_engine(steps=10, keep=2)
    assert engine.step == 5
    engine.run_step(points(5))
    engine.save()
    assert [step for step, _ in states(run)] == [5, 6, 7, 8, 90]
    line_engine(steps=10, keep=2).fit(points)
    assert [step for step, _ in states(run)] == [8, 10, 90]


def test_a_damaged_state_changes_nothing_in_an_engine(tmp_path, line_engine, points):
    """All of it is looked at before any of it is taken over."""
    engine = line_engine(steps=10)
    engine.fit(points)
    before = copy.deepcopy(engine.state())
    state = load_state(tmp_path / "run" / "state-5.ckpt")
    del state["average"]["line.bias"]
    with pytest.raises(ValueError, match="its average has other weights"):
        check_state(state, engine.nets, engine.average.nets, engine.optimizers)
    assert differing(before, engine.state()) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.Adam(p, lr=0.1, fused=True),
        lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.1),
        lambda p: torch.optim.Adam(p, lr=0.1, amsgrad=True),
        lambda p: torch.optim.SGD(p, lr=0.1),
        lambda p: torch.optim.RMSprop(p, lr=0.1, centered=True),
    ],
)
def test_what_an_optimizer_wrote_fits_it(make):
    net = torch.nn.Linear(2, 3).double()
    optimizer = make(net.parameters())
    check_optimizer(optimizer.state_dict(), optimizer, "net")
    net(torch.ones(1, 2).double()).sum().backward()
    optimizer.step()
    state = copy.deepcopy(optimizer.state_dict())
    check_optimizer(state, optimizer, "net")
    for name in state["state"].get(0, {}):
        with pytest.raises(ValueError, match="optimizer of net"):
            check_optimizer(
                {**state, "state": {0: {k: v for k, v in state["state"][0].items() if k != name}}}, optimizer, "net"
            )


def test_foreign_and_newer_states(tmp_path, line_engine, points):
    path = tmp_path / "state-1.ckpt"
    for foreign in ({"epoch": 3}, [1, 2]):
        torch.save(foreign, path)
        with pytest.raises(CheckpointError, match="was not written by Masque: choose another state or run"):
            load_state(path)
    torch.save({"masque": VERSION + 1, "step": 1}, path)
    with pytest.raises(
        CheckpointError, match=rf"newer Masque \(state version {VERSION + 1}, known is {VERSION}\): update Masque"
    ):
        load_state(path)
    line_engine(steps=10).fit(points)
    with_("masque", VERSION + 1)(tmp_path / "run" / "state-10.ckpt")  # an older one is no way on: an update is
    with pytest.raises(CheckpointError, match="newer Masque"):
        line_engine()


def test_a_new_folder_gets_its_settings_and_the_same_run_may_go_on(tmp_path):
    run = tmp_path / "run"
    same_run(run, SETTINGS, RESUMABLE)
    open_run(run, SETTINGS)
    assert json.loads((run / "settings.json").read_text()) == SETTINGS
    same_run(run, SETTINGS, RESUMABLE)


def changed(group: str, name: str | None, value: object) -> dict[str, object]:
    return {**SETTINGS, group: {**SETTINGS[group], name: value} if name else value}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            changed("run", "batch_size", 16),
            "holds a run with batch_size = 8, not 16: choose another --out, or give the settings",
        ),
        (changed("run", "colour", 0.1), "holds a run with colour = None, not 0.1"),
        (changed("family", None, "rsgan"), "holds a run with family = line, not rsgan"),
        (changed("data", None, "xyz"), "holds a run on other pictures, or on these in another order: choose another"),
        ({"family": "line", "data": "abc"}, "holds a run with run = .*, not None"),
    ],
)
def test_another_run_is_refused_by_the_name_of_what_differs(tmp_path, settings, sentence):
    open_run(tmp_path, SETTINGS)
    with pytest.raises(CheckpointError, match=sentence):
        same_run(tmp_path, settings, RESUMABLE)
    assert json.loads((tmp_path / "settings.json").read_text()) == SETTINGS


def test_a_run_that_is_older_than_a_setting_has_its_default(tmp_path):
    open_run(tmp_path, SETTINGS)
    same_run(tmp_path, changed("run", "colour", 0.1), RESUMABLE, {"run": {"colour": 0.1, "batch_size": 99}})
    with pytest.raises(CheckpointError, match=r"colour = 0\.0, not 0\.1"):
        same_run(tmp_path, changed("run", "colour", 0.1), RESUMABLE, {"run": {"colour": 0.0}})
    with pytest.raises(CheckpointError, match="batch_size = 8, not 16"):  # what it has is no matter of defaults
        same_run(tmp_path, changed("run", "batch_size", 16), RESUMABLE, {"run": {"batch_size": 16}})


@pytest.mark.parametrize("name", sorted(RESUMABLE))
def test_what_says_nothing_of_the_steps_made_may_change(tmp_path, name):
    open_run(tmp_path, SETTINGS)
    same_run(tmp_path, changed("run", name, 7), RESUMABLE)
    with pytest.raises(CheckpointError):  # the same change, where it is not among those allowed
        same_run(tmp_path, changed("run", name, 7), RESUMABLE - {name})


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[1, 2]",
        "3",
        "\x00\xff",
        '{"a":' * 50_000,
        '[["family", "line"]]',
        '{"a": 1, "a": 2}',
        '{"a": NaN}',
        "9" * 5000,
        "",
    ],
)
def test_damaged_settings(tmp_path, text):
    (tmp_path / "settings.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(CheckpointError, match=r"settings.json is damaged: choose another --out"):
        same_run(tmp_path, SETTINGS, RESUMABLE)


def test_settings_may_begin_with_a_mark_and_what_they_hold_is_made_safe(tmp_path):
    open_run(tmp_path, SETTINGS)
    path = tmp_path / "settings.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    same_run(tmp_path, SETTINGS, RESUMABLE)
    path.write_text(json.dumps({**SETTINGS, "family": "\x1b[2J" + "x" * 10_000, "\x1b": 1}))
    with pytest.raises(CheckpointError) as caught:
        same_run(tmp_path, SETTINGS, RESUMABLE)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500
