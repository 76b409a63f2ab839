"""Running out of memory, told from other errors. Takes an exception of any library; must not import one."""

from __future__ import annotations

SIGNS = ("out of memory", "can't allocate memory", "not enough memory", "status_alloc_failed")
"""In the words of CUDA, HIP, XPU and MPS, of torch's allocator on the CPU, and of cuBLAS and cuDNN."""


def out_of_memory(error: BaseException) -> bool:
    """Whether the device, or the CPU, had no memory left."""
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in SIGNS)
