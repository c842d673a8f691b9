"""Short trainings that decide how `mgd3 pretrain` trains: same data, same seed, one thing changed.

    python benchmarks/pretrain_trials.py --root CIFAR10 --vae GENERATOR --trial muon [--images 12800] [--out trials.csv]

Every trial trains a DiT on the same latents of CIFAR-10 and is judged by the error of the predicted noise on 1,000
held-out latents, with averaged weights. The error weighted by min-SNR counts what matters for pictures.
One thread, so that the CPU seconds of different trials can be compared.
"""
import argparse, time
from pathlib import Path

import torch

from mgd3.data import pixels
from mgd3.sources import load_data
from mgd3.tables import load_rows, save_rows
from mgd3.generators import Generator
from mgd3.pretrain import make_optimisers
from mgd3.fitting import Fit, constant, train_steps
from mgd3.latent_diffusion import make_dit, make_scheduler, min_snr, routed
from mgd3.schedules import variance_kl

# trial → optimiser, weight of the noise's error, weight of the variance's, share of tokens kept, patch, heads
TRIALS = dict(adamw=("adamw", "min-snr", .1, 1., 1, 4), muon=("muon", "min-snr", .1, 1., 1, 4),
              plain=("muon", "plain", 1., 1., 1, 4), v=("muon", "v", .1, 1., 1, 4),
              half_the_tokens=("muon", "min-snr", .1, .5, 1, 4), wide=("muon", "min-snr", .1, 1., 2, 6))

def predict(dit, sched, z, y, t, noise, weight, keep=1., g=None):
    "Squared error of the noise of each latent, and the variance's term."
    noisy, ab = sched.add_noise(z, noise, t), sched.alphas_cumprod[t][:, None, None, None]
    out = dit(noisy, timestep=t, class_labels=y).sample if keep == 1 else routed(dit, noisy, t, y, keep, g)
    eps, v = out.float().chunk(2, 1)
    if weight == "v": eps = eps * ab.sqrt() + (1 - ab).sqrt() * noisy     # the network's output is v
    return (eps - noise).pow(2).mean((1, 2, 3)), variance_kl(sched, t, (v + 1) / 2, (noise - eps).detach())

def loss_of(dit, sched, z, labels, weight, vlb, keep, batch=128):
    weights = dict(plain=lambda t: 1., v=lambda t: 1 / sched.alphas_cumprod[t]).get(weight, lambda t: min_snr(sched, t))
    def loss(g):
        i, t = torch.randint(len(z), (batch,), generator=g), torch.randint(1, 1000, (batch,), generator=g)
        y = torch.where(torch.rand(batch, generator=g) < .1, 10, labels[i])
        noise = torch.randn((batch, *z.shape[1:]), generator=g)
        error, variance = predict(dit, sched, z[i].float(), y, t, noise, weight, keep, g)
        return (weights(t) * error).mean() + vlb * variance.mean()
    return loss

@torch.no_grad()
def judge(dit, sched, z, labels, weight, n=1000):
    g = torch.Generator().manual_seed(0)
    i, t = torch.randperm(len(z), generator=g)[:n], 1 + torch.arange(n) * 998 // n
    noise = torch.randn((n, *z.shape[1:]), generator=g)
    error = torch.cat([predict(dit, sched, z[i], labels[i], t, e, weight)[0]
                       for i, t, e in zip(i.split(250), t.split(250), noise.split(250))])
    return dict(held_out=round(error.mean().item(), 4), min_snr=round((min_snr(sched, t) * error).mean().item(), 4))

def latents(root, vae, split):
    data, g = load_data("cifar10", split, root), Generator.from_pretrained(vae, dtype="float32")
    px = pixels(data.images, 32, 3)
    views = [px, px.flip(3)] if split == "train" else [px]
    y = torch.tensor(data.labels)
    return torch.cat([g.encode(v) for v in views]), torch.cat([y] * len(views))

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--root", required=True); p.add_argument("--vae", default="dit-cifar10")
    p.add_argument("--trial", choices=TRIALS, required=True); p.add_argument("--images", type=int, default=12800)
    p.add_argument("--out", default="trials.csv"); p.add_argument("--cache", default="trials-latents.pt")
    a = p.parse_args()
    torch.set_num_threads(1)
    if not Path(a.cache).is_file():
        torch.save([latents(a.root, a.vae, s) for s in ("train", "val")], a.cache)
    (z, labels), (held, held_labels) = torch.load(a.cache, weights_only=True)
    optimiser, weight, vlb, keep, patch, heads = TRIALS[a.trial]
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        dit = make_dit(8, z.shape[1], 8, heads, 64, patch, 10)
    adamw = [torch.optim.AdamW(dit.parameters(), lr=1e-3, weight_decay=.01, betas=(.9, .99))]
    fit = Fit(dit, adamw if optimiser == "adamw" else make_optimisers(dit, 1e-3))
    sched, begun = make_scheduler(), time.process_time()
    loss = loss_of(dit, sched, z, labels, weight, vlb, keep)
    for _ in train_steps(fit, loss, constant(50), a.images // 128, precision="bfloat16"): pass
    row = dict(trial=a.trial, optimiser=optimiser, weight=weight, tokens_kept=keep, patch=patch, width=64 * heads,
               million_parameters=round(sum(q.numel() for q in dit.parameters()) / 1e6, 2), images=a.images,
               cpu_seconds=round(time.process_time() - begun))
    row |= judge(fit.averaged(), sched, held, held_labels, weight)
    old = load_rows(a.out)[0] if Path(a.out).is_file() else []
    save_rows(a.out, old + [row], command="python benchmarks/pretrain_trials.py", seed=0)
    print(row)

if __name__ == "__main__": main()
