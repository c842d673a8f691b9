"""DiT-XL/2 as published (256 px, random weights) on a GPU: what the card can do, and what sampling gets of it.

    python benchmarks/gpu.py --out FOLDER                          on CUDA
    python benchmarks/gpu.py --out FOLDER --device cpu --tiny      every line that a CPU can run, in two minutes

Writes `gpu_speed.csv` (images per second and TFLOP/s for each batch size, eager and compiled, by attention kernel),
`gpu_syncs.csv` (where the sampling loop waits for the GPU), `gpu_png.csv` (writing while sampling goes on) and
`gpu_profile.txt` (the profiler's table). Counted are the operations of the network's matrix products and attention.
"""
import argparse, shlex, sys, tempfile, time, warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from copy import copy
from dataclasses import replace
from pathlib import Path

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from mgd3.data import png_bytes
from mgd3.tables import markdown_table, save_rows
from mgd3.files import write_whole
from mgd3.generators import Generator
from mgd3.families import FAMILIES
from mgd3.guidance import sample

BACKENDS = dict(flash=SDPBackend.FLASH_ATTENTION, efficient=SDPBackend.EFFICIENT_ATTENTION,
                cudnn=SDPBackend.CUDNN_ATTENTION, math=SDPBackend.MATH)


def build(device:str, dtype, tiny:bool)->Generator:
    "The published configuration of the DiT and of Stable Diffusion's VAE, or a miniature of both, in memory."
    from diffusers import AutoencoderKL, DDIMScheduler, DiTTransformer2DModel
    torch.manual_seed(0)
    heads, dim, layers, side = (2, 8, 2, 8) if tiny else (16, 72, 28, 32)
    wide = (8, 8, 8, 8) if tiny else (128, 256, 512, 512)
    with torch.device(device):
        dit = DiTTransformer2DModel(num_attention_heads=heads, attention_head_dim=dim, in_channels=4, out_channels=8,
                                    num_layers=layers, sample_size=side, patch_size=2, num_embeds_ada_norm=1000)
        vae = AutoencoderKL(sample_size=8 * side, latent_channels=4, block_out_channels=wide, layers_per_block=2,
                            norm_num_groups=4 if tiny else 32, down_block_types=("DownEncoderBlock2D",) * 4,
                            up_block_types=("UpDecoderBlock2D",) * 4)
    rows = dict(class_labels=torch.arange(1001, device=device))
    return Generator(vae.eval().requires_grad_(False), dit.to(device, dtype).eval().requires_grad_(False),
                     DDIMScheduler(clip_sample=False), "DiT-XL/2", 8 * side, rows=rows,
                     defaults=FAMILIES["DiTPipeline"].published)

def compiled(g:Generator)->Generator:
    "The same network in a shell of its own, compiled."
    net = copy(g.model)
    net.compile(dynamic=False)
    return replace(g, model=net)


# Clocks and counters

def wait(device):
    if torch.device(device).type == "cuda": torch.cuda.synchronize()

def seconds(fn, device, repeats:int=2)->float:
    "The fastest of a few calls after a warm-up, the GPU's work included."
    times = []
    for _ in range(repeats + 1):
        wait(device); start = time.perf_counter(); fn(); wait(device)
        times.append(time.perf_counter() - start)
    return min(times[1:])

def ceiling(device, dtype, tiny:bool, repeats:int=20)->tuple:  # TFLOP/s, side
    "The best rate of a square matrix product, by CUDA events where there are any."
    best = 0., 0
    for n in (128, 256) if tiny else (2048, 4096, 8192, 16384):
        a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
        for _ in range(3): a @ b
        if torch.device(device).type == "cuda":
            t0, t1 = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            t0.record(); [a @ b for _ in range(repeats)]; t1.record(); t1.synchronize()
            took = t0.elapsed_time(t1) / 1000
        else: took = seconds(lambda: [a @ b for _ in range(repeats)], device)
        best = max(best, (2 * n**3 * repeats / took / 1e12, n))
    return best

def call(g, n:int):
    "One call of the network as sampling makes it: `n` images, both halves of classifier-free guidance."
    x, y = torch.randn(n, *g.latent_shape, device=g.device), torch.arange(n, device=g.device)
    return g.denoise(x, torch.tensor(500), y, 4., 3)

def flops(g)->float:
    "Operations for one image and one step; plain attention, since the counter knows all of its parts."
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH): call(g, 2)
    return counter.get_total_flops() / 2

def draw(g, n:int, steps:int)->torch.Tensor:
    modes = torch.randn(n, *g.latent_shape, generator=torch.Generator().manual_seed(0))
    return sample(g, torch.arange(n) % g.n_classes, modes, steps=steps, batch_size=n)


# (b) images per second

def one_speed(g, n, steps, per_step, top, **about)->dict:
    "A row, with the error in place of numbers where a kernel or the memory refuses."
    row = about | dict(batch=n, first_s="", images_per_s="", TFLOPs="", of_ceiling="", peak_GiB="", error="")
    cuda = g.device.type == "cuda"
    if cuda: torch.cuda.reset_peak_memory_stats()
    try:
        start = time.perf_counter(); draw(g, n, 2); wait(g.device)
        first, s = time.perf_counter() - start, seconds(lambda: draw(g, n, steps), g.device)
    except (RuntimeError, torch._dynamo.exc.TorchDynamoException) as e:
        return row | dict(error=" ".join(str(e).split())[:100])
    rate = per_step * steps * n / s / 1e12
    peak = torch.cuda.max_memory_allocated() / 2**30 if cuda else 0.
    return row | dict(first_s=first, images_per_s=n / s, TFLOPs=rate, of_ceiling=rate / top, peak_GiB=peak)

def speeds(g, batches, steps, tiny)->list:
    "Eager and compiled for each batch size; the attention kernels at a middle one."
    (top, side), per_step, rows = ceiling(g.device, g.dtype, tiny), flops(g), []
    rows.append(dict(way=f"matmul {side}", attention="", batch="", first_s="", images_per_s="", TFLOPs=top,
                     of_ceiling=1., peak_GiB="", error=f"{per_step / 1e9:.1f} GFLOP for an image and a step"))
    ways = dict(eager=g, compiled=compiled(g))
    for n in batches:
        for way, net in ways.items():
            rows.append(one_speed(net, n, steps, per_step, top, way=way, attention="default")); print(rows[-1])
    for name, kernel in BACKENDS.items():
        with sdpa_kernel(kernel):
            rows.append(one_speed(g, batches[len(batches) // 2], steps, per_step, top, way="eager", attention=name))
        print(rows[-1])
    return rows


# (c) and (d): where the time goes, and who waits

def profiled(g, n:int, steps:int)->str:
    cuda = g.device.type == "cuda"
    with profile(activities=[ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * cuda) as p: draw(g, n, steps)
    return p.key_averages().table(sort_by=f"self_{'cuda' if cuda else 'cpu'}_time_total", row_limit=40)

def waits(g, n:int, steps:int)->list:
    "Lines that make the CPU wait for the GPU, and how often; PyTorch names them only on CUDA."
    cuda = g.device.type == "cuda"
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        if cuda: torch.cuda.set_sync_debug_mode("warn")
        try: draw(g, n, steps)
        finally:
            if cuda: torch.cuda.set_sync_debug_mode("default")
    place = lambda w: f"{'/'.join(Path(w.filename).parts[-2:])}:{w.lineno}"
    lines = Counter(place(w) for w in seen if "synchroniz" in str(w.message))
    return [dict(line=k, waits=v, per_step=v / steps) for k, v in lines.most_common()] or [
        dict(line="none" if cuda else "not measured: no CUDA", waits=0, per_step=0.)]


# (e) writing files while the next images are made

def written(g, n:int, steps:int, chunks:int, workers:int)->None:
    with tempfile.TemporaryDirectory() as tmp, ThreadPoolExecutor(workers) if workers else nullcontext() as pool:
        save, todo = lambda path, x: write_whole(path, png_bytes(x)), []
        for i in range(chunks):
            for k, x in enumerate(g.decode(draw(g, n, steps), n)):
                args = Path(tmp)/f"{i}-{k}.png", x
                todo.append(pool.submit(save, *args) if pool else save(*args))
        for f in todo: f and f.result()

def overlaps(g, n:int, steps:int)->list:
    rows = [dict(threads=w, images=3 * n, seconds=seconds(lambda: written(g, n, steps, 3, w), g.device, 1))
            for w in (0, 1, 4)]
    return [r | dict(gain=rows[0]["seconds"] / r["seconds"]) for r in rows]


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=Path, required=True); p.add_argument("--device", default="cuda")
    p.add_argument("--tiny", action="store_true", help="a miniature network, two steps, small batches")
    p.add_argument("--steps", type=int, default=50)
    p.add_argument("--batches", type=int, nargs="+", default=[1, 16, 32, 64, 128])
    return p.parse_args()

def main():
    o = options()
    if o.device == "cuda" and not torch.cuda.is_available(): sys.exit("no CUDA here: try --device cpu --tiny")
    if o.tiny: o.steps, o.batches = 2, [1, 2]
    o.out.mkdir(parents=True, exist_ok=True)
    g, middle, few = build(o.device, torch.bfloat16, o.tiny), o.batches[len(o.batches) // 2], min(o.steps, 10)
    jobs = dict(syncs=lambda: waits(g, middle, few), speed=lambda: speeds(g, o.batches, o.steps, o.tiny),
                png=lambda: overlaps(g, middle, o.steps))
    for name, job in jobs.items():     # what is done is on disk, whatever happens to the rest
        rows = job()
        print(name, markdown_table(rows), sep="\n\n", end="\n\n")
        save_rows(o.out/f"gpu_{name}.csv", [{k: round(v, 4) if isinstance(v, float) else v for k, v in r.items()}
                                            for r in rows], command="python " + shlex.join(sys.argv), steps=o.steps)
    (o.out/"gpu_profile.txt").write_text(profiled(g, middle, few))


if __name__ == "__main__": main()
