"""Attention in training on a CPU: torch's fused kernel against two matrix products, in one process after the other.

    python benchmarks/attention.py [--threads 1,2] [--out attention.csv]

Times whole steps of training the DiT of `mgd3 pretrain --size small` on 32 px: forward, backward, both optimisers,
moving average. The latents are noise: no file is needed, and the time is the same.
"""
import argparse, os, subprocess, sys, time

KINDS = ("fused", "products")

def rate(kind, precision, threads, steps, batch=128):
    "Images in a second."
    import torch
    torch.set_num_threads(threads)
    from mgd3.fitting import Fit, constant, train_steps
    from mgd3.latent_diffusion import LOSS, dit_loss, make_networks, make_scheduler, plain_attention
    from mgd3.pretrain import make_optimisers
    dit = make_networks("small", 32, 3, 10, 0)[1]
    if kind == "products": plain_attention(dit)
    z, y = torch.randn(1000, 8, 8, 8), torch.arange(1000)[:, None] % 10
    loss = dit_loss(dit, z, y, make_scheduler(), batch=batch, tokens=.5, **LOSS)
    losses = train_steps(Fit(dit, make_optimisers(dit, 1e-3)), loss, constant(200), steps + 3, 0, precision)
    for _ in range(3): next(losses)
    start = time.monotonic()
    for _ in range(steps): next(losses)
    return steps * batch / (time.monotonic() - start)

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--threads", default="1,2"); p.add_argument("--steps", type=int, default=10)
    p.add_argument("--repeats", type=int, default=2); p.add_argument("--out", default="attention.csv")
    p.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.one: return print(rate(a.one[0], a.one[1], int(a.one[2]), a.steps))
    from mgd3.tables import save_rows
    rows = []
    for repeat in range(a.repeats):
        for threads in a.threads.split(","):
            for precision in ("bfloat16", "float32"):
                for kind in KINDS:
                    one = [sys.executable, __file__, "--steps", str(a.steps), "--one", kind, precision, threads]
                    found = subprocess.run(one, capture_output=True, text=True, check=True,
                                           env=os.environ | dict(OMP_NUM_THREADS=threads))
                    rows.append(dict(attention=kind, precision=precision, threads=int(threads), repeat=repeat,
                                     images_per_second=round(float(found.stdout), 1)))
    save_rows(a.out, rows, command="python benchmarks/attention.py")

if __name__ == "__main__": main()
