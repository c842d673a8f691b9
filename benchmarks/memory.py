"""How much memory do encoding, discovery and the rest of a run take, for 10 classes and for 1000?

    python benchmarks/memory.py [--images 100] [--csv FILE]

Each run is a process of its own; its peak is what the system says (`ru_maxrss`), imports and generator included. Images are
made up when they are asked for: 64 px, RGB. The generator is untrained, with latents of 4 × 32 × 32 as Stable Diffusion's VAE
has for 256 px. The method is `centroid` (encode, discover, decode), since denoising holds one chunk whatever the dataset.
"""
import argparse, json, resource, subprocess, sys, tempfile
from pathlib import Path

import numpy as np, torch
from PIL import Image


class Simulated:
    "Images with a class and an individual look, made when they are asked for."
    def __init__(self, labels): self.labels = labels
    def __len__(self): return len(self.labels)
    def __getitem__(self, i):
        look = np.random.default_rng(int(self.labels[i])).integers(0, 256, (4, 4, 3))
        own = np.random.default_rng([1, int(i)]).normal(0, 30, (8, 8, 3))
        im = Image.fromarray((np.kron(look, np.ones((2, 2, 1))) + own).clip(0, 255).astype(np.uint8))
        return im.resize((64, 64), Image.BICUBIC)


def generator(folder):
    "An untrained pipeline with latents of 4 × 32 × 32."
    from diffusers import DDIMScheduler, DiTPipeline, DiTTransformer2DModel
    from mgd3.generators import from_pretrained
    from mgd3.tiny import tiny_vae
    torch.manual_seed(0)
    dit = DiTTransformer2DModel(num_attention_heads=2, attention_head_dim=4, in_channels=4, out_channels=8, num_layers=1,
                                sample_size=32, patch_size=4, num_embeds_ada_norm=1000, norm_type="ada_norm_zero")
    DiTPipeline(dit, tiny_vae(), DDIMScheduler()).save_pretrained(folder)
    return from_pretrained(folder, device="cpu", dtype="float32")


def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def run(classes, images, kept):
    "Peaks in MiB after each stage of one run."
    from mgd3.data import Data
    from mgd3.distill import distill_dataset
    from mgd3.store import encode
    torch.set_num_threads(1)
    labels = np.repeat(np.arange(classes), images)
    data = Data(Simulated(labels), labels, [f"c{i:04d}" for i in range(classes)], "simulated",
                [f"c{y:04d}/{i % images:05d}" for i, y in enumerate(labels)])
    with tempfile.TemporaryDirectory() as tmp:
        g = generator(f"{tmp}/generator")
        g.classes["simulated"] = list(range(classes))
        row = dict(classes=classes, images=len(data), latents="in a store" if kept else "in memory", start_MiB=round(peak()))
        store = f"{tmp}/store" if kept else None
        if kept: encode(data, g, store); row["encode_MiB"] = round(peak())
        distill_dataset(data, g, ipc=10, out=f"{tmp}/out", method="centroid", store=store)
        size = sum(f.stat().st_size for f in Path(tmp).glob("store/*.safetensors"))
        return row | dict(encode_MiB=row.get("encode_MiB", ""), all_MiB=round(peak()), store_MiB=round(size / 2**20))


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--images", type=int, default=100, help="of each class"); p.add_argument("--csv")
    p.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.one: print(json.dumps(run(int(a.one[0]), a.images, a.one[1] == "1"))); sys.exit()
    rows = []
    for classes, kept in ((10, 1), (100, 1), (1000, 1), (10, 0), (1000, 0)):
        line = [sys.executable, __file__, "--images", str(a.images), "--one", str(classes), str(kept)]
        rows.append(json.loads(subprocess.run(line, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1]))
        print(rows[-1], flush=True)
    if a.csv:
        from mgd3.tables import save_rows
        save_rows(a.csv, rows, command="python benchmarks/" + " ".join(sys.argv).split("benchmarks/")[-1], seed=0)
