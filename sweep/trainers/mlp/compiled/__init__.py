"""Check the compiled engine on disk, and report what is wrong with it.

Numba, which takes 0.2 s to load, is loaded only if the files alone do not give the answer.
"""

import sys
from pathlib import Path

from sweep.trainers.mlp.compiled.code_files import CacheState, is_kept_beside

_COMPILED = Path(__file__).parents[1] / "engines" / "fused.py"
"""The module of which the compiled code is kept."""


def mend_compiled() -> str:
    """Remove what is damaged of the compiled engine; return what to print, or nothing if it is sound."""
    if "numba" not in sys.modules and is_kept_beside(_COMPILED):
        return ""
    from sweep.trainers.mlp.compiled.code_cache import mend_code_cache
    from sweep.trainers.mlp.engines import fused  # noqa: F401  Numba chooses the folder of its functions

    return mend_code_cache()


def examine_compiled() -> CacheState:
    """Look at the compiled engine, and try whether there is room for another one."""
    from sweep.trainers.mlp.compiled.code_cache import examine_code_cache
    from sweep.trainers.mlp.engines import fused  # noqa: F401  Numba chooses the folder of its functions

    return examine_code_cache(probe=True)
