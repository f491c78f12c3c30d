"""Settings that trainings had before: read where they mean the same, and answered with what replaced them otherwise."""

from __future__ import annotations

import pytest

from masque.catalog import CATALOG
from masque.config import from_dict, override, values_of
from masque.errors import SettingError


@pytest.mark.parametrize(
    ("family", "before", "now"),
    [
        ("ccagan", {"classification_weight": 2.0, "reconstruction_weight": 3.0}, {"cls": 2.0, "rec": 3.0}),
        ("ccagan", {"background_weight": 4.0, "critic_steps": 2}, {"background": 4.0, "judge_steps": 2}),
        ("ccagan", {"adversarial": "log", "targets": "turned"}, {"adversarial": "logistic", "targets": "flipped"}),
        ("ccagan", {"certainty": 1.0, "beta1": 0.5}, {}),
        ("portrait", {"critic_steps": 2, "adversarial": "log"}, {"judge_steps": 2, "adversarial": "logistic"}),
        ("portrait", {"free_bits": 0.0, "beta1": 0.5, "maps": 0.5}, {"maps": 0.5}),
        ("facefeat", {"augment": "none", "whiten": False, "competition": "both", "beta1": 0.5}, {}),
        ("rsgan", {"spectral": False, "beta1": 0.5, "r1": 20.0}, {"r1": 20.0, "r1_every": 16}),
        ("progan", {"beta1": 0.0, "r1_every": 4}, {"r1_every": 4}),
        ("vaegan", {"beta1": 0.5, "gamma": 10.0}, {"gamma": 10.0}),
        ("dcgan", {"beta1": 0.5}, {}),
    ],
)
def test_a_run_of_an_earlier_version_is_read(family, before, now):
    kind = CATALOG[family].load("training")
    read, values = from_dict(kind, before), values_of(kind())
    assert values_of(read) == {**values, **now}


@pytest.mark.parametrize(
    ("family", "setting", "says"),
    [
        ("ccagan", "certainty=0.9", "There is no setting certainty any more: Eq. 7 asks for t itself."),
        ("ccagan", "critic_steps=2", "There is no setting critic_steps any more: its name is judge_steps."),
        ("ccagan", "adversarial=log", "adversarial is log and must be one of logistic, wgan-gp, hinge."),
        ("facefeat", "whiten=true", "There is no setting whiten any more: D_2^f sees f_2 as it is."),
        ("rsgan", "spectral=true", "There is no setting spectral any more: r1 holds the discriminators."),
        ("portrait", "free_bits=1", "There is no setting free_bits any more: kl weighs the whole divergence."),
        ("progan", "beta1=0.5", "There is no setting beta1 any more: it is 0, as in the paper."),
    ],
)
def test_a_former_setting_is_answered_with_what_replaced_it(family, setting, says):
    training = CATALOG[family].load("training")()
    with pytest.raises(SettingError) as refused:
        override((training,), [setting])
    assert str(refused.value) == says


def test_a_former_setting_that_did_something_is_refused_in_a_run_too():
    with pytest.raises(SettingError, match="no setting whiten any more"):
        from_dict(CATALOG["facefeat"].load("training"), {"whiten": True})
    with pytest.raises(SettingError, match="no setting attended any more"):
        from_dict(CATALOG["ccagan"].load("config"), {"attended": "columns"})
    assert from_dict(CATALOG["ccagan"].load("config"), {"attended": "rows", "scaled": False})
