"""The precision in which networks compute fastest."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def fast_precision(device: torch.device | str, enabled: bool = True) -> torch.autocast:
    """Computes in bfloat16 where that is faster than float32: on CUDA, and on processors with AMX.

    On a processor with AVX-512 alone, training a network of this project takes 1.3 to 1.5 times as long in bfloat16.

    Args:
        device: where the network is.
        enabled: False: always float32.
    """
    where = torch.device(device).type
    return torch.autocast(where, torch.bfloat16, enabled=enabled and is_bfloat16_fast(where))


def is_bfloat16_fast(device: str) -> bool:
    """Whether a device of this type multiplies bfloat16 faster than float32."""
    return device != "cpu" or bool(torch.cpu.get_capabilities().get("amx_bf16"))


@contextmanager
def without_denormal_numbers() -> Iterator[None]:
    """Counts numbers below 1e-38 as zero during a block, where the processor can; moments of an optimizer can become so small.

    Otherwise a processor may compute several times slower.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
