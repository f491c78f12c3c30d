"""Attributes given to networks by hand: one that is not finite is refused, where training would have said what stands
for it."""

from __future__ import annotations

import math

import pytest
import torch

from masque import runs
from masque.errors import ValueRangeError


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("family", ["rsgan", "ccagan"])
def test_an_attribute_that_is_not_finite_is_refused(family, value):
    plan = runs.plan(family, "tiny")
    model = runs.build_recipe(plan).model.eval()
    picture, attributes = torch.zeros(2, 3, 32, 32), torch.full((2, len(plan.model.attributes)), 0.5)
    edits = {
        "rsgan": lambda c: model.compose(model.encode(picture, picture, *c)),
        "ccagan": lambda c: model.edit(picture, c[-1], torch.ones(2, 1, 32, 32)),
    }
    spoilt = attributes.clone()
    spoilt[1, 0] = value
    with torch.no_grad():
        assert edits[family]([attributes]).isfinite().all()
        for given in ([spoilt], [attributes, spoilt], [attributes, attributes, spoilt]):
            with pytest.raises(ValueRangeError, match=r"is NaN or infinite: give a number in \[0,1\]"):
                edits[family](given)
