"""What gives how much: single changes to our way of sampling, each timed in turn with the default, on the CPU.

    python benchmarks/changes.py --repeats 5 --csv FILE

The column `expected` was written before the measurement, from a profile (dit-digits, 50 images: linear layers 50 %,
GELU 9 %, embeddings of timesteps 8 %, attention 5 %, norms 4 %, our own Python 6 %) and from counted operations.
`ratio` is how many times faster the changed way is; lowest and highest are those of single pairs.
"""
import argparse, copy, shlex, statistics, sys, time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from types import MethodType

import torch

from mgd3.data import image_seed, png_bytes
from mgd3.sources import load_data
from mgd3.tables import markdown_table, save_rows
from mgd3.generators import Generator
from mgd3.guidance import sample
from mgd3.modes import discover_modes

STEPS = 5   # the cost of a step does not depend on their number


def job(n:int)->tuple:  # classes, modes, seeds
    "The first `n` images of the digits, ten for each class."
    g, data = Generator.from_pretrained("dit-digits", device="cpu", dtype="float32"), load_data("digits")
    modes, rows = discover_modes(g.encode(data.images), data.labels, 10), [(i // 10, i % 10) for i in range(n)]
    return (g.class_indices(data)[[c for c, _ in rows]], torch.stack([modes[c][k] for c, k in rows]),
            [image_seed(0, c, k) for c, k in rows])

def load(**kwargs): return Generator.from_pretrained("dit-digits", device="cpu", **dict(dtype="float32") | kwargs)

def run(g, y, modes, seeds, batch_size=50):
    return sample(g, y, modes, seeds=seeds, steps=STEPS, batch_size=batch_size)

@contextmanager
def threads(n:int):
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try: yield
    finally: torch.set_num_threads(before)


# The changes

def two_calls(self, x, t, labels, cfg_scale, cfg_channels=None):
    "`denoise` with one call for each half of classifier-free guidance."
    with torch.no_grad():
        call = lambda y: self.model(x, timestep=t.expand(len(x)), class_labels=y).sample
        cond, free, c = call(labels), call(torch.full_like(labels, self.n_classes)), x.shape[1]
        return torch.cat([free[:, :c] + cfg_scale * (cond[:, :c] - free[:, :c]), cond[:, c:]], dim=1)

def one_timestep(self, x, t, labels, cfg_scale, cfg_channels=None):
    "`denoise` that embeds the timestep once, not once for each row."
    with torch.no_grad():
        y, c = torch.cat([labels, torch.full_like(labels, self.n_classes)]), x.shape[1]
        cond, free = self.model(torch.cat([x, x]), timestep=t.reshape(1), class_labels=y).sample.chunk(2)
        return torch.cat([free[:, :c] + cfg_scale * (cond[:, :c] - free[:, :c]), cond[:, c:]], dim=1)

def with_denoise(fn):
    g = load()
    g.denoise = MethodType(fn, g)
    return g

def fused():
    "Queries, keys and values by one linear layer."
    from diffusers.models.attention_processor import FusedAttnProcessor2_0
    g = load()
    for b in g.model.transformer_blocks:
        b.attn1.fuse_projections(); b.attn1.set_processor(FusedAttnProcessor2_0())
    return g

def inferring(fn):
    with torch.inference_mode(): return fn()

def single(fn):
    with threads(1): return fn()

def side_by_side(g, y, modes, seeds, parts:int):
    "The images in parts, each in a thread of its own that computes with one thread."
    rows = torch.arange(len(y)).chunk(parts)
    part = lambda i: run(g, y[i], modes[i], [seeds[j] for j in i], len(i))
    with threads(1), ThreadPoolExecutor(parts) as pool: return torch.cat(list(pool.map(part, rows)))

def warm(g, fn)->float:  # seconds
    "The first call of a compiled network."
    start = time.perf_counter(); fn(g)
    return time.perf_counter() - start

def png(size:int, workers:int):
    "50 noisy RGB images as PNG."
    px = torch.randint(0, 256, (50, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    if not workers: return [png_bytes(x) for x in px]
    with ThreadPoolExecutor(workers) as pool: return list(pool.map(png_bytes, px))


# The table

def compare(change:str, expected:str, base, fn, repeats:int)->dict:
    "A warm-up of both, then pairs in turn."
    a, b, pairs = base(), fn(), []
    for _ in range(repeats):
        clock = [time.perf_counter()]
        for f in (base, fn): f(); clock.append(time.perf_counter())
        pairs.append((clock[1] - clock[0], clock[2] - clock[1]))
    ratios = [x / y for x, y in pairs]
    med, same = statistics.median, torch.equal(a, b) if torch.is_tensor(a) else a == b
    return dict(change=change, default_s=med(x for x, _ in pairs), changed_s=med(y for _, y in pairs),
                ratio=med(ratios), lowest=min(ratios), highest=max(ratios), same_bytes=same, expected=expected)

BATCHES = {1: "6 times slower: a step costs a few ms however small it is", 5: "half as fast, from the same overhead",
           10: "0.6", 25: "0.8", 50: "1, the same thing twice: what differs is noise",
           100: "1.05: matrices are large enough already at 50"}

def sampling_changes(repeats:int)->list:
    y, modes, seeds = job(100)
    g, half = load(), slice(0, 50)
    fifty = lambda g: run(g, y[half], modes[half], seeds[half])
    base, rows = partial(fifty, g), []
    add = lambda *a: (rows.append(compare(*a[:2], *(a[2:] if len(a) == 4 else (base, a[2])), repeats)),
                      print(rows[-1]["change"], f"{rows[-1]['ratio']:.2f}", file=sys.stderr))
    for n, expected in BATCHES.items():
        add(f"100 images in batches of {n} (default 50)", expected, partial(run, g, y, modes, seeds),
            partial(run, g, y, modes, seeds, n))
    add("CFG in two calls (default one batch)", "0.85: twice the overhead, half the matrix", partial(fifty,
        with_denoise(two_calls)))
    add("bfloat16 (default float32)", "1.3: the CPU multiplies bfloat16 twice as fast, and half is multiplication",
        partial(fifty, load(dtype="bfloat16")))
    compiled = load(compile=True)
    seconds = warm(compiled, fifty)
    add(f"torch.compile, warm; compiling takes {seconds:.0f} s", "1.2: fuses norms, gates and GELU, a quarter of it",
        partial(fifty, compiled))
    add("inference_mode (default no_grad)", "1.02: only the bookkeeping of views", partial(inferring, base))
    add("1 thread (default 2)", "0.6: the matrices share well", partial(single, base))
    add("two halves side by side, 1 thread each", "1.1: no waiting for each other after every operation",
        partial(side_by_side, g, y[half], modes[half], seeds[half], 2))
    add("timestep embedded once (default for each row)", "1.06: most of the 8 % of its embeddings",
        partial(fifty, with_denoise(one_timestep)))
    add("q, k, v by one linear layer", "1.03: three small matrices to one", partial(fifty, fused()))
    return rows

def writing_changes(repeats:int)->list:
    "zlib lets other threads run while it packs."
    return [compare(f"PNG of 50 RGB images of {s} px in 4 threads (default none)", expected, partial(png, s, 0),
                    partial(png, s, 4), repeats)
            for s, expected in ((256, "1.9: two cores pack, Python hardly matters"), (32, "0.7: starting threads "
                                "costs more than packing 3 kB"))]

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--repeats", type=int, default=5); p.add_argument("--csv", help="where to write the table")
    o = p.parse_args()
    rows = sampling_changes(o.repeats) + writing_changes(o.repeats)
    print(markdown_table(rows))
    if o.csv: save_rows(o.csv, [{k: round(v, 4) if isinstance(v, float) else v for k, v in r.items()} for r in rows],
                        command="python " + shlex.join(sys.argv), repeats=o.repeats, steps=STEPS)


if __name__ == "__main__": main()
