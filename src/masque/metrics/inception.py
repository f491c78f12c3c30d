"""Inception's features, for those who have its weights: what FID and KID are measured with.

The network is that of Heusel et al. 2017 as the TorchScript file `inception-2015-12-05.pt` that NVIDIA publishes with
StyleGAN2-ADA. It is not part of Masque, and is loaded from a file that the user names."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from masque.errors import CheckpointError
from masque.image import Picture
from masque.quiet import quieten_torchscript

AT_ONCE = 32


def load_inception(path: Path) -> tuple[Callable[[Sequence[Picture]], Tensor], str]:
    """A function from pictures of one size (RGB uint8 (H,W,3)) to features (N,2048), and the first 16 digits of the
    file's SHA-256.

    Raises CheckpointError when the file is missing, no TorchScript, or answers with something else than features.
    """
    quieten_torchscript()
    try:
        weights = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        # torch compares no checksums, and would run whatever damage has made of the program.
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                raise ValueError
        network = torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except MemoryError:
        raise
    except Exception:  # torch and zipfile raise almost anything on damaged files
        raise CheckpointError(f"{path} is not a TorchScript file: name NVIDIA's inception-2015-12-05.pt.") from None

    def extract(pictures: Sequence[Picture]) -> Tensor:
        parts = []
        for start in range(0, len(pictures), AT_ONCE):
            batch = torch.from_numpy(np.stack(pictures[start : start + AT_ONCE])).permute(0, 3, 1, 2).contiguous()
            try:
                with torch.inference_mode():
                    features = network(batch, return_features=True)
            except (RuntimeError, TypeError, ValueError, LookupError):
                features = None
            whole = (
                isinstance(features, Tensor)
                and features.dim() == 2
                and len(features) == len(batch)
                and features.is_floating_point()
            )
            if not whole or not bool(features.isfinite().all()):
                raise CheckpointError(f"{path} gives no features of pictures: name NVIDIA's inception-2015-12-05.pt.")
            parts.append(features.float())
        return torch.cat(parts)

    return extract, weights
