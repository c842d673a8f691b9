"""facebook/DiT-XL-2-256 in full size, with random weights: does it load and sample here, in how much memory and time?

    python benchmarks/dit_xl.py save FOLDER                  write the pipeline (3 GB)
    python benchmarks/dit_xl.py run FOLDER float32 5         encode, sample one image, decode; one line of JSON
"""
import json, resource, sys, time
from pathlib import Path

import torch


def save(folder):
    "The published configuration of the DiT and of Stable Diffusion's VAE, with random weights."
    from diffusers import AutoencoderKL, DDIMScheduler, DiTPipeline, DiTTransformer2DModel
    dit = DiTTransformer2DModel(num_attention_heads=16, attention_head_dim=72, in_channels=4, out_channels=8, num_layers=28,
                                sample_size=32, patch_size=2, num_embeds_ada_norm=1000)
    vae = AutoencoderKL(sample_size=256, latent_channels=4, block_out_channels=(128, 256, 512, 512), layers_per_block=2,
                        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)
    DiTPipeline(dit, vae, DDIMScheduler(clip_sample=False)).save_pretrained(folder)


def run(folder, dtype, steps):
    "One image from one mode, by way of the library's own functions."
    from mgd3.generators import Generator
    from mgd3.guidance import sample
    clock = [time.perf_counter()]
    def lap(): clock.append(time.perf_counter()); return round(clock[-1] - clock[-2], 2)
    g = Generator.from_pretrained(folder, device="cpu", dtype=dtype)
    row = dict(dtype=dtype, parameters_M=round(sum(p.numel() for p in g.model.parameters()) / 1e6), load_s=lap())
    mode = g.encode(torch.randint(0, 256, (1, 3, 256, 256), dtype=torch.uint8), batch_size=1)
    row["encode_s"] = lap()
    z = sample(g, torch.tensor([0]), mode, steps=steps, sampler="ddim", batch_size=1)
    row |= dict(steps=steps, sample_s=lap())
    g.decode(z, batch_size=1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    return row | dict(decode_s=lap(), peak_GiB=round(peak, 2))


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "save": save(Path(sys.argv[2]))
    elif len(sys.argv) == 5 and sys.argv[1] == "run": print(json.dumps(run(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
    else: sys.exit(__doc__)
