"""Is the kernel valid CUDA, and what does it need? Needs no GPU, only NVIDIA's compiler.

    pip install '.[cuda]' nvidia-cuda-nvcc
    python tests/benchmarks/check_kernel.py [--cc 9.0]

Compiles both kernels to PTX, lets ``ptxas`` assemble them for the compute capability, and prints
registers, spills and where loads go.
"""

import argparse
import subprocess
import sys
import tempfile
import types
from pathlib import Path

from numba import cuda

from sweep.trainers.mlp.engines import gpu
from sweep.trainers.mlp.engines.block_layout import THREADS


def compile_kernel(*, in_shared: bool, cc: tuple[int, int]) -> str:
    """Return the PTX of a kernel."""
    # Functions called by kernels are compiled for the current device. There is none, so say which.
    sys.modules["numba.cuda.dispatcher"].get_current_device = lambda: types.SimpleNamespace(
        compute_capability=cc
    )
    ptx, _ = cuda.compile_ptx(gpu.bind_kernel(in_shared=in_shared), gpu.ARGUMENTS, cc=cc)
    return ptx


def find_ptxas() -> str | None:
    """Return NVIDIA's assembler, where its package is installed."""
    found = [path for folder in sys.path for path in Path(folder).glob("nvidia/*/bin/ptxas")]
    return str(found[0]) if found else None


def assemble(ptxas: str, ptx: str, cc: tuple[int, int]) -> str:
    """Return what ptxas says about a kernel."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "kernel.ptx"
        source.write_text(ptx)
        arch = f"-arch=sm_{cc[0]}{cc[1]}"
        command = [
            ptxas,
            "-v",
            arch,
            f"--maxrregcount={65_536 // THREADS - 1}",
            str(source),
            "-o",
            "/dev/null",
        ]
        return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def main() -> None:
    """Compile, assemble and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cc", default="9.0")
    parser.add_argument("--write", type=Path, help="folder to write the PTX into")
    arguments = parser.parse_args()
    gpu.check_installed()
    major, minor = map(int, arguments.cc.split("."))
    ptxas = find_ptxas()
    for in_shared in (True, False):
        ptx = compile_kernel(in_shared=in_shared, cc=(major, minor))
        name = "shared" if in_shared else "global"
        if arguments.write:
            (arguments.write / f"{name}.ptx").write_text(ptx)
        counts = {
            "loads from shared memory": ptx.count("ld.shared"),
            "from global memory": ptx.count("ld.global"),
            "from local memory": ptx.count("ld.local"),
            "generic": sum(
                ptx.count(f"ld.{kind} ") + ptx.count(f"ld.{kind}\t") for kind in ("f32", "u32", "b32")
            ),
            "barriers": ptx.count("bar.sync") + ptx.count("barrier.sync"),
            "calls": ptx.count("call.uni"),
            "double precision": ptx.count(".f64"),
        }
        print(f"kernel in {name} memory:", ", ".join(f"{k} {v}" for k, v in counts.items()))
        print(assemble(ptxas, ptx, (major, minor)) if ptxas else "no ptxas: pip install nvidia-cuda-nvcc")


if __name__ == "__main__":
    main()
