"""Which latent a generator makes a picture from (paper, Section 2): z' = argmin ‖G(z') − x‖², by gradient descent or by
an encoder.

lipton          gradient descent with stochastic clipping (Lipton & Tripathi 2017), as the paper describes it
refine          Adam, several starts at once, with terms on face features beside the pixels
encoder         what the encoder sees (the paper's Section 4)
encoder+refine  refine, from the encoder's answer

No z makes most photos. `detail` goes on from what refine has found, with what is added to a coarse map of the
generator, and where that is not enough to a finer one: a latent is then z with its detail after it (after Kang et al.
2021, "GAN Inversion for Out-of-Range Images with Geometric Transformations")."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from masque.errors import CheckpointError, ValueRangeError
from masque.given import check_choice, number, seed_of, whole
from masque.layers.precision import has_bf16
from masque.models.dcgan import DCGAN
from masque.models.progan import ProGAN

Method = Literal["lipton", "refine", "encoder", "encoder+refine"]
Clip = Literal["stochastic", "hard", "none"]

Generative = ProGAN | DCGAN
"""What pictures can be found in."""

Features = Callable[[Tensor], Tensor]
"""Pictures (B,3,S,S) in [-1,1] -> unit vectors (B,F), differentiable."""

ROUNDS = 3
"""How often at most the search for a detail begins again for pictures that are not within the tolerance."""

Watch = Callable[[int, Tensor, Tensor], None]
"""Called with (iteration, best z so far (B,Z), its mean squared errors (B,)). Whatever it raises ends the search."""


LARGEST = 1e6
"""The most that a weight, a rate or a number of iterations may be."""


@dataclass(frozen=True)
class Options:
    """How the search for a latent goes; a setting that is None is chosen by the method. Raises ValueRangeError."""

    method: Method = "encoder+refine"
    """Which of the four ways at the top of this file."""
    iterations: int | None = None
    """10,000 for lipton, as the paper has it; 400 for refine, and 150 from an encoder's answer: the less z is pressed,
    the more the faces between two look like faces."""
    clip: Clip = "stochastic"
    """lipton alone: out of its domain a component is drawn anew, held at its bound, or left."""
    rate: float | None = None
    """Step length: η of the paper for lipton, Adam's for refine."""
    starts: int | None = None
    """refine: how many starts each picture has, 4 or with an encoder 1; after a fifth of the iterations the best goes
    on alone."""
    likeness: float = 0.0
    """refine: weight of the distance of face features beside the pixels' mean squared error (after Antipov et al.
    2017)."""
    detail: int | None = None
    """refine: iterations in which a detail beside z is sought; 0 leaves it out, and None is 450."""
    restraint: float = 0.03
    """refine: weight of the mean square of each map of a detail, which keeps it from more than a photo needs."""
    tolerance: float = 1e-3
    """refine: pictures with a larger mean squared error than this on [-1,1], of which a viewer sees nothing, get the
    detail's iterations again, with a finer map, up to three times."""
    enough: float = 0.0
    """Stop when every picture's mean squared error, on [-1,1], is below this."""
    seed: int = 0
    """Seed of the random starts and of stochastic clipping: the same seed finds the same latents."""

    def __post_init__(self) -> None:
        """Make Python's own numbers of numpy's. Raises ValueRangeError for what is no number, or out of range."""
        check_choice("method", self.method, get_args(Method))
        check_choice("clip", self.clip, get_args(Clip))
        for name in ("iterations", "starts", "detail"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, whole(name, getattr(self, name)))
        for name in ("rate", "likeness", "restraint", "tolerance", "enough"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, number(name, getattr(self, name)))
        object.__setattr__(self, "seed", seed_of(self.seed))
        for name in ("iterations", "rate", "starts", "likeness", "detail", "restraint", "tolerance", "enough"):
            value, low = getattr(self, name), int(name == "starts")
            if value is not None and not low <= value <= LARGEST:
                raise ValueRangeError(f"{name} is {value} and must be from {low} to {LARGEST:,.0f}.")
        if not self.steps and not self.method.startswith("encoder"):
            raise ValueRangeError(
                f"iterations is 0, in which {self.method} finds nothing: ask for at least 1, or for --method encoder."
            )

    @property
    def steps(self) -> int:
        """How many iterations the search for z may take."""
        if self.method == "encoder":
            return 0
        return (
            self.iterations if self.iterations is not None else {"lipton": 10_000, "refine": 400}.get(self.method, 150)
        )

    @property
    def detail_steps(self) -> int:
        """How many more iterations the search for its detail takes."""
        return (450 if self.detail is None else self.detail) if "refine" in self.method else 0

    @property
    def all_steps(self) -> int:
        """How many iterations in all, unless pictures take longer."""
        return self.steps + self.detail_steps


@dataclass(frozen=True)
class Recovery:
    """What was found for B pictures."""

    z: Tensor
    """(B,W), within the model's domain: Z numbers, or Z and a detail."""
    error: Tensor
    """(B,) mean squared error of G(z) on [-1,1]."""
    iterations: int
    """How many iterations the search took."""
    seconds: float
    """How many seconds the search took."""
    interrupted: bool
    """Whether Ctrl-C ended the search; the best until then is kept."""


def invert(
    model: Generative, pictures: Tensor, options: Options, features: Features | None = None, watch: Watch | None = None
) -> Recovery:
    """The latents of pictures, all sought in one batch; the same for the same options.seed.

    pictures: (B,3,S,S) in [-1,1]. options: how the search goes. features: compares faces; needed where options.likeness
    is not 0. watch: called after each iteration. Ctrl-C ends the search and keeps the best so far. Raises
    CheckpointError for a method that needs an encoder where the model has none."""
    if options.method.startswith("encoder") and not isinstance(model, ProGAN):
        raise CheckpointError("This model has no encoder: choose --method refine or lipton.")
    started = time.monotonic()
    search = _Search(model, pictures, options, features, watch)
    interrupted = False
    try:
        search.run()
    except KeyboardInterrupt:
        if search.best is None:
            raise
        interrupted = True
    assert search.best is not None
    return Recovery(
        search.best, search.exact_errors(search.best), search.iteration, time.monotonic() - started, interrupted
    )


class _Search:
    """The best latents so far, and ways to find better ones: in bf16 where that is faster, which for a search is exact
    enough."""

    def __init__(
        self, model: Generative, pictures: Tensor, options: Options, features: Features | None, watch: Watch | None
    ) -> None:
        self.model = model
        self.x = pictures
        self.options = options
        self.features = features
        self.watch = watch
        self.wanted = features(pictures) if features is not None and options.likeness else None
        self.best: Tensor | None = None
        self.error = torch.full((len(pictures),), math.inf, device=pictures.device)
        self.loss = self.error.clone()
        self.iteration = 0
        kind = pictures.device.type
        # Of a small network most of the time goes into calls, of which autocast makes more.
        self.in_bf16 = (
            model.config.size >= 32 and pictures.dtype == torch.float32 and kind in ("cpu", "cuda") and has_bf16(kind)
        )

    def run(self) -> None:
        """All that the method does, until what was found is enough."""
        if self.options.method == "lipton":
            self.descend()
            return
        self.start()
        if self.options.method == "encoder" or self.refine():
            return
        has_detail = len(self.model.widths) > 1 and self.options.detail_steps
        if has_detail and not self.search_detail():
            self.search_longer()

    def descend(self) -> None:
        """z' ← clip(z' − η ∇ ‖G(z') − x‖²), from a random z'."""
        options, count = self.options, len(self.x)
        z = self.random("start", count)
        rate = 1.0 if options.rate is None else options.rate
        generator = torch.Generator().manual_seed(options.seed)
        for _ in range(options.steps):
            z.requires_grad_(True)
            errors, losses = self.errors_and_losses(z)
            # A mean over pixels, times Z: η then does not depend on how many pixels and components there are.
            (gradient,) = torch.autograd.grad(z.shape[1] * errors.sum(), z)
            if self.keep_best(z.detach(), errors.detach(), losses.detach()):
                return
            z = clip_components(self.model, z.detach() - rate * gradient, options.clip, generator)

    def start(self) -> None:
        """The encoder's answer, as the best so far; for plain refine, whatever random start is best."""
        if not isinstance(self.model, ProGAN) or self.options.method == "refine":
            return
        with torch.no_grad():
            z = self.model.E(self.x)
            errors, losses = self.errors_and_losses(z)
        self.keep_best(z, errors, losses, counts=False)

    def refine(self) -> bool:
        """Adam from several starts at once, along half a cosine; each picture's best start goes on alone after a fifth
        of the way.

        Returns whether what was found is enough.
        """
        options, count = self.options, len(self.x)
        total = options.steps
        default = 4 if self.best is None else 1
        starts = max(1, options.starts if options.starts is not None else default)
        z = self.random("starts", starts * count)
        if self.best is not None:
            z[:count] = self.best  # the encoder's answer is the first start
        together = total // 5 if starts > 1 else 0
        default_rate = 0.1 if options.method.startswith("encoder") else 0.3
        peak = options.rate if options.rate is not None else default_rate
        z, found = self._adam(z, range(together), total, peak)
        if found:
            return True
        if starts > 1:
            with torch.no_grad():
                losses = self.errors_and_losses(z)[1].view(starts, count)
            z = z.view(starts, count, -1)[losses.argmin(dim=0), torch.arange(count)]
        return self._adam(z, range(together, total), total, peak)[1]

    def search_detail(self) -> bool:
        """Adam on a detail beside z, of the coarse map where there is none yet. Returns whether what was found is
        enough."""
        assert self.best is not None
        widths = self.model.widths
        total = self.options.detail_steps
        self.best = self.model.widened(self.best, max(widths[1], self.best.shape[1]))
        return self._adam(self.best, range(total), total, 0.05)[1]

    def search_longer(self) -> None:
        """Go on with the pictures that are not within the tolerance, by themselves, and with a finer map where there is
        one."""
        for _ in range(ROUNDS):
            assert self.best is not None
            left = (self.exact_errors(self.best) > self.options.tolerance).nonzero()[:, 0]
            if not len(left):
                return
            self.best = self.model.widened(self.best)
            part = _Search(self.model, self.x[left], self.options, self.features, functools.partial(self._merge, left))
            part.best = self.best[left]
            part.search_detail()

    def _merge(self, left: Tensor, _iteration: int, best: Tensor, errors: Tensor) -> None:
        """Take over what a search for the pictures `left` (K,) has found: what Ctrl-C leaves is then the
        best of all."""
        assert self.best is not None
        self.best[left], self.error[left] = best, errors
        self.iteration += 1
        if self.watch:
            self.watch(self.iteration, self.best, self.error)

    def _adam(self, z: Tensor, steps: range, total: int, peak: float) -> tuple[Tensor, bool]:
        """Adam from latents z (N,W), all components of which it moves.

        steps: those of `total` that are made. peak: the rate at the first of them. Returns where it ends, and
        whether it ended because what was found is enough."""
        z = z.clone().requires_grad_(True)
        adam = torch.optim.Adam([z], lr=peak, betas=(0.9, 0.999))
        for step in steps:
            adam.param_groups[0]["lr"] = peak * 0.5 * (1 + math.cos(math.pi * step / total))
            errors, losses = self.errors_and_losses(z)
            (z.grad,) = torch.autograd.grad(losses.sum(), z)
            if self.keep_best(z.detach(), errors.detach(), losses.detach()):
                return z.detach(), True
            adam.step()
            with torch.no_grad():
                z.copy_(self.model.settle(z))
        return z.detach(), False

    def errors_and_losses(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Mean squared errors and losses (N,), N being a multiple of the number of pictures."""
        with torch.autocast(self.x.device.type, torch.bfloat16, enabled=self.in_bf16):
            made = self.model.generate(z)
        times = len(z) // len(self.x)
        errors = (made - self.x.repeat(times, 1, 1, 1)).square().mean(dim=(1, 2, 3))
        losses, (_, *maps) = errors, self.model.parts(z)
        if self.wanted is not None:
            assert self.features is not None
            distances = (self.features(made) - self.wanted.repeat(times, 1)).square().sum(dim=1)
            losses = losses + self.options.likeness * distances
        for detail in maps:
            losses = losses + self.options.restraint * detail.square().mean(dim=1)
        return errors, losses

    @torch.no_grad()
    def exact_errors(self, z: Tensor) -> Tensor:
        """Mean squared errors (B,) of latents, in fp32."""
        return (self.model.generate(z) - self.x).square().mean(dim=(1, 2, 3))

    def keep_best(self, z: Tensor, errors: Tensor, losses: Tensor, counts: bool = True) -> bool:
        """Keep the latents z (N,W) that are better than the best before; whether they are enough for every picture.

        errors, losses: (N,), N being a multiple of the number of pictures. counts: whether this was an iteration."""
        count = len(self.x)
        losses, errors = losses.view(-1, count), errors.view(-1, count)
        z = self.model.settle(z).view(-1, count, z.shape[1])
        first = losses.argmin(dim=0)
        at = torch.arange(count, device=first.device)
        better = losses[first, at] < self.loss
        self.loss = torch.where(better, losses[first, at], self.loss)
        self.error = torch.where(better, errors[first, at], self.error)
        found = z[first, at]
        self.best = found.clone() if self.best is None else torch.where(better[:, None], found, self.best)
        self.iteration += counts
        if self.watch:
            self.watch(self.iteration, self.best, self.error)
        return bool((self.error < self.options.enough).all())

    def random(self, name: str, count: int) -> Tensor:
        """z (count,Z) of the prior."""
        return self.model.draw(torch.arange(count) + 1_000_003 * self.options.seed, name).to(self.x.device)


def clip_components(model: Generative, z: Tensor, clip: Clip, generator: torch.Generator) -> Tensor:
    """z (B,Z) with every component within the model's bound.

    clip: a component beyond it is drawn anew from the prior ("stochastic"), held at the bound ("hard") or left
    ("none"). generator: draws them."""
    if clip == "none":
        return z
    if clip == "hard":
        return z.clamp(-model.bound, model.bound)
    outside = z.abs() > model.bound
    if not outside.any():
        return z
    redrawn = model.redraw(torch.rand(z.shape, generator=generator)).to(z.device)
    return torch.where(outside, redrawn, z)


def is_recovered(model: Generative, z: Tensor, true: Tensor, within: float = 0.05) -> Tensor:
    """Whether every component of z (B,Z) is within `within` of the `true` one (Lipton & Tripathi 2017), (B,); both are
    settled into the domain first."""
    width = true.shape[1]
    return (model.settle(z)[:, :width] - model.settle(true)).abs().amax(dim=1) < within
