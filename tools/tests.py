"""Run the notebooks as `nbdev_test` does, and say what passed: `python tools/tests.py [NAME…]`.

`nbdev_test` says "Success." or which notebooks failed. This calls the same function with the same number of workers,
and its last lines say how many notebooks and cells passed, and how long the slowest five notebooks took.
"""
import sys, time
from pathlib import Path

from execnb.nbio import read_nb
from fastcore.parallel import num_cpus, parallel
from fastcore.xtras import working_directory
from nbdev.config import get_config
from nbdev.test import test_nb

def cells_run(path, skip)->int:
    "How many cells of a notebook are run: code, without a flag that skips it."
    def runs(source):
        flags = {l[2:].strip().split(" ")[0] for l in source.splitlines() if l.startswith("#|")}
        return source.strip() and "nbdev_export(" not in source and not flags & skip
    return sum(bool(runs(c.source)) for c in read_nb(path).cells if c.cell_type == "code")

def main(names):
    config = get_config()
    skip, nbs = config.tst_flags.split(), Path(config.nbs_path).absolute()
    files = [p for p in sorted(nbs.glob("*.ipynb")) if not names or p.stem in names]
    if not files: sys.exit(f"no notebook is called {', '.join(names)}")
    workers, begun = 0 if len(files) == 1 else min(num_cpus(), 8), time.time()
    with working_directory(nbs):
        results = parallel(test_nb, files, skip_flags=skip, n_workers=workers, basepath=config.config_path, pause=.01)
    cells = [cells_run(p, set(skip)) for p in files]
    passed = [n for n, (good, _) in zip(cells, results) if good]
    failed = [p.stem for p, (good, _) in zip(files, results) if not good]
    slowest = sorted(((s, p.stem) for p, (_, s) in zip(files, results)), reverse=True)[:5]
    if failed: print("failed:", ", ".join(failed))
    print("slowest:", ", ".join(f"{name} {s:.0f} s" for s, name in slowest))
    print(f"{len(passed)} notebooks with {sum(passed)} cells passed, {len(failed)} failed, in "
          f"{(time.time() - begun) / 60:.1f} minutes")
    sys.exit(bool(failed))

if __name__ == "__main__": main(sys.argv[1:])
