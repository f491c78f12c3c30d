"""Networks that a new run begins with: those of a model, and of its run those that only training needs."""

from __future__ import annotations

from collections.abc import Mapping

from masque.errors import CheckpointError
from masque.modelfile import ModelFile
from masque.train.fitting import check_tensors
from masque.train.phase import Recipe
from masque.train.state import newest_state, states


def begin_with(recipe: Recipe, start: ModelFile) -> None:
    """Give a recipe's networks the weights of a model, and those that only training needs what its run last had, where
    it is a run's.

    Raises CheckpointError where weights do not fit.
    """
    for name in recipe.nets:
        if name in recipe.served:
            start.fill(recipe.nets[name], name)
    take_judges(recipe, start)


def take_judges(recipe: Recipe, start: ModelFile, where_they_fit: bool = False) -> None:
    """Give the networks that only training needs what they last had in the model's run, where it is a run's.

    Networks that nothing trains stay what the recipe loaded. where_they_fit: networks of other sizes begin anew.
    Without it CheckpointError is raised for them."""
    run = start.folder.parent
    # A packed model may lie in a run's folder, too.
    trained = newest_state(run, _nets_of) if start.folder.name == "model" and states(run) else {}
    for name, net in recipe.nets.items():
        if name in recipe.served or name not in trained or not any(p.requires_grad for p in net.parameters()):
            continue
        try:
            net.load_state_dict(check_tensors(trained[name], net.state_dict(), name, any_kind=True))
        except ValueError:
            if where_they_fit:
                continue
            raise CheckpointError(
                f"{run} has another {name} than these settings ask for: begin with what `masque export` makes of the "
                "run, which leaves it behind."
            ) from None


def _nets_of(state: Mapping[str, object]) -> Mapping[str, object]:
    nets = state.get("nets")
    if not isinstance(nets, dict):
        raise ValueError("it has no networks")
    return nets
