#!/usr/bin/env python
"""Does this tree do what another checkout does, to the byte?

    git worktree add ../before ce5eb40
    python tools/same.py ../before                     # everything
    python tools/same.py ../before --only mgd3,dm      # some methods
    python tools/same.py ../before --only sample       # all samplers and forms, and what a callback is told

Both trees distill two datasets with every method, with small settings and one thread, and train three students.
A line for each method says whether images, modes and accuracies are equal; the exit code is 1 if any differs.
What the other tree made is kept in `--keep` and used again as long as its commit is the same.
"""
import argparse, hashlib, inspect, json, os, subprocess, sys, tempfile, time
from pathlib import Path

METHODS = ["random", "nearest", "k-center", "herding", "rded", "unguided", "centroid", "d4m", "mgd3", "minmax", "dm",
           "sre2l"]
SMALL = dict(rded=dict(crops=2, pool=8), minmax=dict(epochs=1, batch=64), dm=dict(iterations=2, batch=8),
             sre2l=dict(iterations=2))
SAMPLED = ("unguided", "d4m", "mgd3", "minmax")
DATASETS = ("digits", "digit-pairs")
FORMS = ("x0", "eps", "mean")

# -- what runs in both trees ------------------------------------------------------------------------------------

def file_hash(path): return hashlib.sha256(path.read_bytes()).hexdigest()

def folder_of(out):
    "Hashes of the images, the tensors of the modes and the settings of a distilled folder."
    from safetensors.numpy import load_file
    found = {str(p.relative_to(out)): file_hash(p) for p in sorted(out.rglob("*.png"))}
    if (out/"modes.safetensors").is_file():
        for k, v in load_file(out/"modes.safetensors").items():
            found[f"modes {k}"] = hashlib.sha256(v.tobytes()).hexdigest()
    manifest = json.loads((out/"mgd3.json").read_bytes())
    return found | {"settings": {k: v for k, v in manifest["settings"].items() if k != "teacher"}}

def teachers_module():
    try: import mgd3.teachers as m
    except ImportError: import mgd3.soft_label_eval as m
    return m

def loader():
    "`load_data`: it was in data first."
    try: import mgd3.sources as m
    except ImportError: import mgd3.data as m
    return m.load_data

def job_function():
    "The function that distills: its first name was that of its module."
    import mgd3.distill as m
    return getattr(m, "distill_dataset", None) or m.distill

def teacher_file(out, data, generator):
    load_data = loader()
    m, path = teachers_module(), out/f"teacher-{data}.safetensors"
    if not path.is_file():
        real = load_data(data)
        m.save_teacher(m.train_teacher(real, settings=m.teacher_settings(real, norm="batch", epochs=1)), path)
    return path

def distilled(name, out, generator):
    distill = job_function()
    found = {}
    for data in DATASETS:
        more = dict(SMALL.get(name, {}), **(dict(steps=6) if name in SAMPLED else {}))
        if name in ("rded", "sre2l"): more["teacher"] = str(teacher_file(out, data, generator))
        if "force" in inspect.signature(distill).parameters: more["force"] = True    # six steps are few
        folder = out/f"{data}-{name}"
        distill(data, generator, 2, folder, method=name, **more)
        found |= {f"{data}/{k}": v for k, v in folder_of(folder).items()}
    return found

def sampled(generator):
    "Final latents, and what a callback is told, for every sampler and form."
    import torch
    try: from mgd3.schedules import SAMPLERS
    except ImportError: from mgd3.guidance import SAMPLERS
    from mgd3.guidance import sample
    modes, found = torch.randn(3, *generator.latent_shape, generator=torch.Generator().manual_seed(0)), {}
    for sampler, (_, _, flow) in SAMPLERS.items():
        if flow and not generator.flow: continue
        for form in FORMS:
            h = hashlib.sha256()
            def told(step):
                for k in sorted(step):
                    v = step[k]
                    h.update(v.numpy().tobytes() if torch.is_tensor(v) else repr(v).encode())
            ask = dict(sampler=sampler, form=form, scale=.1 if form != "eps" else .01, steps=7, batch_size=2)
            z = sample(generator, torch.tensor([0, 1, 2]), modes, callback=told, **ask)
            plain = sample(generator, torch.tensor([0, 1, 2]), modes, **ask)
            found[f"{sampler} {form}"] = hashlib.sha256(z.numpy().tobytes()).hexdigest()
            found[f"{sampler} {form} told"] = h.hexdigest()
            found[f"{sampler} {form} without callback"] = hashlib.sha256(plain.numpy().tobytes()).hexdigest()
    return found

def students(out, generator):
    "Accuracies of three students of one folder."
    import mgd3.hard_label_eval as hard, mgd3.soft_label_eval as soft
    HardLabel, SoftLabel = hard.HardLabel, soft.SoftLabel
    evaluate_hard = getattr(hard, "evaluate_hard", None) or hard.hard_label_eval
    evaluate_soft = getattr(soft, "evaluate_soft", None) or soft.soft_label_eval
    distill, load_data = job_function(), loader()
    m, folder, val = teachers_module(), out/"digits-students", load_data("digits", "val")
    distill("digits", generator, 2, folder, method="centroid")
    colours = dict(epochs=3, jitter=.2, cutmix=1., flip=True)
    ask = dict(convnet3=HardLabel.small(**colours), resnet10_w32=HardLabel.small(epochs=2))
    got = {n: evaluate_hard(folder, val, n.replace("_", "-"), s, repeats=1)["last"] for n, s in ask.items()}
    t = m.load_teacher(teacher_file(out, "digits", generator))
    s = SoftLabel.small(epochs=3, size=t.size)
    try: got["soft"] = evaluate_soft(folder, val, t, "convnet3", s, repeats=1)["last"]
    except ValueError as e: got["soft"] = str(e)                            # a hasty teacher may know too little
    return got

def work(out, only):
    import torch
    from mgd3.generators import from_pretrained
    torch.set_num_threads(1)
    generator, out = from_pretrained("dit-digits", device="cpu"), Path(out)
    for name in only:
        begun = time.perf_counter()
        try:
            found = (sampled(generator) if name == "sample" else students(out, generator) if name == "students"
                     else distilled(name, out, generator))
        except Exception as e: found = {"failed": f"{type(e).__name__}: {e}"}
        (out/f"{name}.json").write_text(json.dumps(dict(found=found, seconds=time.perf_counter() - begun)))

# -- the comparison ---------------------------------------------------------------------------------------------

def start(tree, out, only):
    out.mkdir(parents=True, exist_ok=True)
    env = os.environ | dict(PYTHONPATH=str(tree), OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", HF_HUB_OFFLINE="1",
                            PYTHONDONTWRITEBYTECODE="1", PYTHONWARNINGS="ignore")
    where = subprocess.run([sys.executable, "-c", "import mgd3; print(mgd3.__file__)"], env=env, cwd=out, check=True,
                           capture_output=True, text=True).stdout.strip()
    if Path(where).resolve().parents[1] != tree.resolve(): sys.exit(f"{where} is imported in place of {tree}")
    code = [sys.executable, str(Path(__file__).resolve()), "--worker", str(out), "--only", ",".join(only)]
    return subprocess.Popen(code, env=env, cwd=out)

def commit_of(tree):
    ask = lambda *a: subprocess.run(["git", "-C", str(tree), *a], capture_output=True, text=True, check=True).stdout
    if ask("status", "--porcelain", "mgd3").strip(): return None
    return ask("rev-parse", "--short", "HEAD").strip()

def compare(other, only, keep):
    here, tmp = Path(__file__).resolve().parents[1], tempfile.TemporaryDirectory()
    commit, new = commit_of(other), Path(tmp.name)/"new"
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    old = Path(keep)/f"{commit}-{code}" if keep and commit else Path(tmp.name)/"old"
    lacking = [n for n in only if not (old/f"{n}.json").is_file()]
    jobs = [start(here, new, only)] + ([start(other, old, lacking)] if lacking else [])
    if any([j.wait() for j in jobs]): sys.exit("a tree could not be run")
    different = 0
    for name in only:
        a, b = (json.loads((d/f"{name}.json").read_text()) for d in (old, new))
        diff = [k for k in {**a["found"], **b["found"]} if a["found"].get(k) != b["found"].get(k)]
        failed = b["found"].get("failed")
        verdict = f"{len(diff)} of {len(a['found'])} differ: {', '.join(diff[:3])}" if diff else f"{len(a['found'])} equal"
        if failed: verdict = f"fails: {failed[:150]}"
        if name == "students" and not diff: verdict += f" {b['found']}"
        print(f"{name:10} {verdict}  ({a['seconds']:.1f} s, {b['seconds']:.1f} s)")
        different += bool(diff or failed)
    return different

if __name__ == "__main__":
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("other", nargs="?", type=Path, help="another checkout")
    ask.add_argument("--only", default=",".join([*METHODS, "sample", "students"]), help="methods, sample, students")
    ask.add_argument("--keep", help="folder for what the other tree made")
    ask.add_argument("--worker", help=argparse.SUPPRESS)
    args = ask.parse_args()
    if args.worker: work(args.worker, args.only.split(","))
    elif args.other is None: ask.error("name another checkout")
    else: sys.exit(bool(compare(args.other.resolve(), args.only.split(","), args.keep)))
