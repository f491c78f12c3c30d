"""Divergence of an inferred Gaussian from the standard one."""

from __future__ import annotations

from torch import Tensor

from masque.losses.precision import full


def kl_to_standard(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ,σ²) ‖ N(0,1)) = ½ Σ (μ² + σ² − log σ² − 1), summed over the latent's entries and averaged over the batch.

    mean, log_variance: (B,Z). Eq. 4 of RSGAN, where σ stands for the variance."""
    mean, log_variance = full(mean), full(log_variance)
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(dim=1).mean()
