"""What a CUDA candidate does, in short phrases for memory and notes: `dynamic shared memory`, `loads float4`.

The counterpart of facts.py: claims only what the words show, and proves nothing.
"""

import re
from collections.abc import Mapping

from harness.source import without_comments

_VECTOR = re.compile(r"\b((?:float|half|int|uint)[24]|__half2)\s*(?:const\s*)?\*")
_UNROLLED = re.compile(r"#\s*pragma\s+unroll\b[ \t]*\(?(\d+)?")
_LAUNCHES = re.compile(r"<<<[^,>]+,\s*(\w+)")
_ROUGH = re.compile(r"\b(__expf|__exp10f|__fdividef|__powf|__logf)\b")


def cuda_facts(source: str) -> Mapping[str, str]:
    """Kind -> phrase, for what is present: shared, vectors, warp, unrolling, kernels, exp, tensor-cores, launch."""
    text = without_comments(source)
    is_dynamic = re.search(r"\bextern\s+__shared__", text)
    vectors = sorted(set(_VECTOR.findall(text)))
    factors = [int(factor) for factor in _UNROLLED.findall(text) if factor]
    kernels = len(re.findall(r"\b__global__\b", text))
    threads = sorted(set(_LAUNCHES.findall(text)))
    rough = sorted(set(_ROUGH.findall(text)))
    found = {
        "shared": "dynamic shared memory" if is_dynamic else "shared memory" if "__shared__" in text else "",
        "vectors": f"loads {', '.join(vectors)}" if vectors else "",
        "warp": "talks within a warp" if re.search(r"\b__(?:shfl|reduce|ballot)\w*_sync\b", text) else "",
        "unrolling": f"unrolled by {max(factors)}" if max(factors, default=1) > 1 else "",
        "kernels": f"{kernels} kernels" if kernels > 1 else "",
        "exp": f"rough {', '.join(rough)}" if rough else "exp2f" if re.search(r"\bexp2f\b", text) else "",
        "tensor-cores": "tensor cores" if re.search(r"\bwmma\b", text) else "",
        "launch": f"blocks of {', '.join(threads)} threads" if threads and all(map(str.isdigit, threads)) else "",
    }
    return {kind: phrase for kind, phrase in found.items() if phrase}
