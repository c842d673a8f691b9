"""The published way of running MGD³ against ours: seconds of every stage, in one process and on one network.

    python benchmarks/speed.py --data digit-pairs --ipc 10 --repeats 3 --csv FILE
    python benchmarks/speed.py --threads 1 --cpu-time             on a machine that is not ours alone

The published way is written as research code for DiT is: one image at a time through the VAE, one image at a time
(with its half for no class: a batch of two) through the sampler, one call of scikit-learn for each class, one file
after the other. Both ways have the same settings, seeds, precision and threads, and must make the same images.
"""
import argparse, shlex, statistics, sys, tempfile, time
from pathlib import Path
from types import SimpleNamespace

import numpy as np, torch
from PIL import Image
from sklearn.cluster import KMeans

from mgd3.data import image_seed, pixels, png_bytes, subset
from mgd3.sources import load_data
from mgd3.tables import machine, markdown_table, save_rows, versions
from mgd3.files import write_whole
from mgd3.distill import distill_dataset
from mgd3.generators import Generator
from mgd3.guidance import lambda_at, sample
from mgd3.schedules import make_sampler
from mgd3.modes import discover_modes


# The published way: job, what the stage before made → what the next one takes

@torch.no_grad()
def encode_each(job, _):
    "One image at a time."
    g, zs = job.g, []
    for im in job.data.images:
        x = pixels([im], g.size, g.channels).to(g.device, g.vae.dtype) / 127.5 - 1
        zs.append(g.vae.encode(x).latent_dist.mean[0].cpu() * g.vae.config.scaling_factor)
    return torch.stack(zs)

def cluster_each(job, latents):
    "One call of k-means for each class; the centres of large clusters first, so that both ways number them alike."
    modes = []
    for c in range(len(job.data.classes)):
        x = latents[job.data.labels == c].flatten(1).double().numpy()
        km = KMeans(job.ipc, n_init=10, random_state=0).fit(x)
        order = np.argsort(-np.bincount(km.labels_), kind="stable")
        modes.append(torch.tensor(km.cluster_centers_[order]).float().reshape(-1, *latents.shape[1:]))
    return modes

def guided_step(job, sched, i, t, out, x, mode, gen):
    "A stock step, then the pull of Eq. 5 on its mean: λ σ_t (m − x̂₀)."
    s = job.s
    new = sched.step(out, t, x, generator=gen)
    scale = lambda_at(s["steps"] - 1 - i, s["scale"], s["t_stop"])
    if not scale: return new.prev_sample
    log_var = sched._get_variance(t, predicted_variance=out[:, x.shape[1]:])
    return new.prev_sample + scale * (50 / s["steps"])**.5 * (log_var / 2).exp() * (mode - new.pred_original_sample)

@torch.no_grad()
def sample_each(job, modes):
    "One image at a time: a loop over classes, modes and timesteps."
    g, s, zs = job.g, job.s, []
    sched, n = make_sampler(g, s["sampler"], s["steps"]), s["cfg_channels"]
    for c, y in enumerate(job.y.tolist()):
        for k, mode in enumerate(modes[c]):
            gen = torch.Generator().manual_seed(image_seed(0, c, k))
            x = torch.randn(1, *g.latent_shape, generator=gen).to(g.device)
            y2 = torch.tensor([y, g.n_classes], device=g.device)
            for i, t in enumerate(sched.timesteps):
                cond, free = g.model(torch.cat([x, x]), timestep=t.expand(2), class_labels=y2).sample.chunk(2)
                eps = free[:, :n] + s["cfg_scale"] * (cond[:, :n] - free[:, :n])
                x = guided_step(job, sched, i, t, torch.cat([eps, cond[:, n:]], 1), x, mode, gen)
            zs.append(x[0].cpu())
    return zs

@torch.no_grad()
def decode_each(job, zs):
    "One image at a time."
    px = []
    for z in zs:
        x = job.g.vae.decode(z[None].to(job.g.device) / job.g.vae.config.scaling_factor).sample[0]
        px.append(((x / 2 + .5).clamp(0, 1) * 255).round().to(torch.uint8).cpu())
    return px

def save_each(job, px):
    for i, x in enumerate(px):
        x = x.permute(1, 2, 0).numpy()
        Image.fromarray(x[..., 0] if x.shape[2] == 1 else x).save(job.out/f"{i:05d}.png")
    return px

PUBLISHED = dict(encode=encode_each, discover=cluster_each, sample=sample_each, decode=decode_each, write=save_each)


# Ours

def encode(job, _): return job.g.encode(job.data.images)
def discover(job, latents): return discover_modes(latents, job.data.labels, job.ipc)

def sample_all(job, modes):
    "As `distill_dataset` does: all images in chunks."
    rows = [(c, k) for c in range(len(job.data.classes)) for k in range(job.ipc)]
    return sample(job.g, job.y[[c for c, _ in rows]], torch.stack([modes[c][k] for c, k in rows]),
                  seeds=[image_seed(0, c, k) for c, k in rows], batch_size=min(50, len(rows)))

def decode(job, z): return job.g.decode(z, min(50, len(z)))

def write(job, px):
    for i, x in enumerate(px): write_whole(job.out/f"{i:05d}.png", png_bytes(x))
    return px

OURS = dict(encode=encode, discover=discover, sample=sample_all, decode=decode, write=write)


# Both

def alternate(a, b, repeats:int, clock)->tuple:  # seconds of each, what each returned
    "Their times in turn. Ours has a warm-up here, for its large batches; the other way had a small job."
    b()
    times, made = ([], []), [None, None]
    for _ in range(repeats):
        for i, fn in enumerate((a, b)):
            start = clock(); made[i] = fn(); times[i].append(clock() - start)
    return times, made

def row(stage:str, a:list, b:list)->dict:
    "One line of the table: medians, and the ratios of all pairs as their range."
    med, ratios = statistics.median, [x / y for x, y in zip(a, b)]
    return dict(stage=stage, published_s=med(a), ours_s=med(b), ratio=med(a) / med(b),
                lowest=min(ratios), highest=max(ratios))

def warm_up(job):
    "The published way, with a few images of each class and one mode."
    data = subset(job.data, np.concatenate([job.data.of(c)[:10] for c in range(len(job.data.classes))]))
    small, made = SimpleNamespace(**vars(job) | dict(data=data, ipc=1)), None
    for fn in PUBLISHED.values(): made = fn(small, made)

def stages(job, repeats:int)->tuple:  # rows, seconds of whole jobs, images
    rows, made, total = [], (None, None), None
    warm_up(job)
    for name in PUBLISHED:
        before = made
        times, made = alternate(lambda: PUBLISHED[name](job, before[0]), lambda: OURS[name](job, before[1]), repeats,
                                job.clock)
        rows.append(row(name, *times))
        print(*(f"{k} {v}" for k, v in rows[-1].items()), file=sys.stderr)
        total = times if total is None else [[x + y for x, y in zip(s, t)] for s, t in zip(total, times)]
    return rows + [row("whole job", *total)], total, made

def whole(job, repeats:int)->list:
    "`distill_dataset` itself, which also hashes, describes and previews what it made."
    ts = []
    for i in range(repeats + 1):
        start = job.clock(); distill_dataset(job.data, job.g, job.ipc, job.out/f"whole-{i}")
        ts.append(job.clock() - start)
    return ts[1:]

def alike(a, b)->float:
    "Share of the pixel values that differ by at most one grey level."
    return ((torch.stack(list(a)).int() - b.int()).abs() <= 1).double().mean().item()

def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", default="digit-pairs"); p.add_argument("--ipc", type=int, default=10)
    p.add_argument("--repeats", type=int, default=3); p.add_argument("--threads", type=int)
    p.add_argument("--cpu-time", action="store_true", help="the process's CPU seconds, which others do not lengthen")
    p.add_argument("--csv", help="where to write the table")
    return p.parse_args()

def main():
    o = options()
    if o.threads: torch.set_num_threads(o.threads)
    command, data = "python " + shlex.join(sys.argv), load_data(o.data)
    g = Generator.from_pretrained("dit-digits", device="cpu", dtype="float32")
    if (g.settings["sampler"], g.settings["form"]) != ("ddpm", "mean"): sys.exit("the published way is DDPM's")
    with tempfile.TemporaryDirectory() as tmp:
        job = SimpleNamespace(g=g, data=data, ipc=o.ipc, s=g.settings, y=g.class_indices(data), out=Path(tmp),
                              clock=time.process_time if o.cpu_time else time.perf_counter)
        rows, total, (a, b) = stages(job, o.repeats)
        same = alike(a, b)
        assert same >= .99, f"only {same:.2%} of the pixel values agree: this compares different things"
        rows.append(row("whole job, by distill", total[0], whole(job, o.repeats)))
    about = dict(images=f"{len(data)} real, {len(a)} distilled; {same:.3%} of pixel values agree to one grey level",
                 repeats=o.repeats, threads=torch.get_num_threads(), seconds="CPU" if o.cpu_time else "wall")
    print(markdown_table(rows), "", *(f"{k}: {v}" for k, v in
          (about | dict(machine=machine(), versions=versions(), command=command)).items()), sep="\n")
    if o.csv: save_rows(o.csv, [{k: round(v, 4) if isinstance(v, float) else v for k, v in r.items()} for r in rows],
                        command=command, **about)


if __name__ == "__main__": main()
