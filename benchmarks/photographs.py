"""The questions of the paper, asked on CIFAR-10 with `dit-cifar10`: which runs there are, in which order, at what cost.

    python benchmarks/photographs.py                              # the plan: runs and core-hours
    python benchmarks/photographs.py --root CIFAR10 --run settings  # one stage; stopped, the same command goes on
    python benchmarks/photographs.py --choose                     # after `settings`, after `shortlist`, after `stops`

Every stage is what one call or more of `mgd3 sweep` would be, with a file in `nbs/results/photographs/`. Choices are made on
the 5,000 validation images: `settings` tries each setting on one set, `shortlist` repeats the two best of each method on two
sets more, and `choose` of chapter 05 takes one. `--choose` writes what they say to `photographs.json`. The stages `claims`,
`many`, `pairs` and `sizes` use the 10,000 test images, each run once. A student is graded once, after its last epoch:
grading five times on 10,000 images was half of a run. `beyond` screens what is not in the paper, on validation,
one change at a time.
`--keep` holds the distilled sets, so that `mgd3 evaluate` can train other students on them:

    mgd3 evaluate KEPT/cifar10-*-ipc=10-* --net resnet18 --repeats 1 --results nbs/results/photographs/students.jsonl
"""
import argparse, json
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHOSEN = HERE/"photographs.json"     # what validation chose: CFG, λ, form, t_stop of the guided and CFG of the unguided
SECONDS = dict(distill=105, student=50)   # of one core, at ten images a class, with two runs side by side
OWN = dict(el2n=800, minmax=900, dm=900, sre2l=900, rded=60)   # guessed: what a method needs beside sampling
GENERATED = ("mgd3", "unguided", "d4m", "minmax", "wrong-class", "random-points")
# cheap ones first
ALL = ("random", "nearest", "centroid", "d4m", "herding", "k-center", "rded", "el2n", "minmax", "dm", "sre2l")
SAMPLER = dict(sampler=["ddim"], steps=[20])   # of everything but the stage that compares samplers
TAUGHT = dict(teacher="teacher-cifar10")
# stated beside the table
BUDGET = dict(el2n=dict(networks=1, epochs=2), minmax=dict(epochs=1), dm=dict(iterations=200), rded=TAUGHT,
              sre2l=TAUGHT | dict(iterations=300))


def stages(chosen:dict)->dict:
    "Stage → calls of `sweep_settings`."
    on_val = dict(data=["cifar10"], ipc=[10], seeds=[0], split="val", **SAMPLER)
    best = {k: [v] for k, v in chosen["guided"].items()}
    plain = dict(cfg_scale=[chosen["unguided"]])
    grid = dict(on_val, method=["mgd3"], cfg_scale=[2., 3., 4.])
    settings = [dict(on_val, method=["unguided"], cfg_scale=[1., 2., 3., 4., 5.]),
                dict(grid, form=["x0"], scale=[.1, .3, 1.]),
                dict(grid, form=["mean"], scale=[.01, .03, .1], cfg_scale=[3.]),
                # added later, because the best so far was at an edge
                dict(grid, form=["x0"], scale=[1.], cfg_scale=[5., 6.]), dict(grid, form=["x0"], scale=[.6], cfg_scale=[4.])]
    shortlist = [dict(on_val, method=[m], seeds=[1, 2], **{k: [v] for k, v in one.items()})
                 for m, several in chosen.get("shortlist", {}).items() for one in several]
    stops = [dict(on_val, method=["mgd3"], **best | dict(t_stop=[20, 18, 14, 10, 6, 2, 0]))]
    samplers = [dict(on_val, method=[m], **own | dict(sampler=[s], steps=n))
                for m, own in (("mgd3", {k: v for k, v in best.items() if k != "t_stop"}), ("unguided", plain))
                for s, n in (("ddpm", [50, 20]), ("ddim", [50, 20, 10]), ("dpm++", [20]))]
    test = dict(on_val, split="test", students=2)
    claims = [dict(test, method=["mgd3"], seeds=[*range(5)], **best),
              dict(test, method=["unguided"], seeds=[*range(5)], **plain)]
    many = [dict(test, method=[m], seeds=[0, 1, 2], **BUDGET.get(m, {})) for m in ALL]
    many += [dict(test, method=["wrong-class", "random-points"], seeds=[0, 1, 2], **best)]
    ways = [dict(on_val, method=["mgd3"], discovery=["random", "dbscan", "spectral", "nearest", "kmeans", "gmm"], **best)]
    pairs = dict(test, data=["cifar10-pairs"], seeds=[0, 1, 2])
    pairs = [dict(pairs, method=["mgd3"], **best), dict(pairs, method=["unguided"], **plain),
             dict(pairs, method=["random", "nearest"])]
    few = dict(test, seeds=[0, 1], students=1)
    sizes = [dict(few, ipc=[n], method=[m], **own) for n in (50, 1, 20)
             for m, own in (("mgd3", best), ("unguided", plain), ("random", {}), ("nearest", {}), ("centroid", {}),
                            ("d4m", {}), ("herding", {}))]
    ours = dict(on_val, method=["mgd3"], **best)
    judge = dict(judge=["teacher-cifar10"])
    equal = [judge | dict(candidates=[n], steps=[20 // n]) for n in (2, 4)]   # calls of the network as without a judge
    dear = judge | dict(candidates=[5], steps=[10])                           # two and a half times as many
    subspace = [dict(ours, pull=["subspace"], form=[f], scale=[l], t_stop=[t])
                for f, l, t in (("x0", .3, 0), ("x0", 1., 8), ("mean", .03, 10), ("mean", .1, 10))]
    beyond = [*subspace, dict(subspace[1], features=["teacher-cifar10"]),
              dict(ours, features=["teacher-cifar10"], discovery=["kmeans", "nearest", "top20"]),
              dict(ours, pull=["sharpening"], width=[1., 3.]), dict(ours, pull=["transport"], softness=[.05, .2]),
              dict(ours, pull=["coupled"], push=[.01, .03]), dict(ours, pull=["weighted"], by=["entropy", "share", "spread"]),
              dict(ours, start=["matched"]), dict(ours, discovery=["top5", "top10", "top20", "top30", "nearest"]),
              dict(ours, features=["pooled", "pca"]), dict(ours, discovery=["top20"], features=["pooled", "pca"]),
              dict(ours, t_start=[18, 16]), dict(ours, cfg_start=[18, 16]), dict(ours, cfg_start=[18], cfg_stop=[2, 4]),
              *(dict(ours, **j | dict(t_stop=[j["steps"][0] // 2])) for j in (*equal, dear)),
              *(dict(on_val, method=["unguided"], **plain | j) for j in (equal[0], dear))]
    return dict(settings=settings, shortlist=shortlist, stops=stops, samplers=samplers, discovery=ways, claims=claims,
                many=many, pairs=pairs, sizes=sizes, beyond=beyond)


SETTLED = dict(mgd3=("form", "scale", "cfg_scale"), unguided=("cfg_scale",))   # what is chosen for each method


def choice(folder:Path)->dict:
    "What the finished stages say: a shortlist, then settings, then when to let go."
    from mgd3.ablations import choose, mean_by, seed_spread
    from mgd3.tables import load_rows
    rows_of = lambda stage: load_rows(folder/f"{stage}.csv")[0] if (folder/f"{stage}.csv").is_file() else []
    chosen, tried = dict(shortlist={}, guided=dict(form="mean", scale=.1, cfg_scale=4., t_stop=10), unguided=4.), {}
    for m, keys in SETTLED.items():
        best = sorted(mean_by([r for r in rows_of("settings") if r["method"] == m], *keys), key=lambda r: -r["mean"])[:2]
        chosen["shortlist"][m] = [{k: r[k] for k in keys} for r in best]
        tried[m] = [r for r in rows_of("settings") + rows_of("shortlist") if r["method"] == m]
    if rows_of("shortlist"):
        chosen["guided"] |= choose(tried["mgd3"], *SETTLED["mgd3"])
        chosen["unguided"] = choose(tried["unguided"], *SETTLED["unguided"])["cfg_scale"]
    if rows_of("stops"):
        error = seed_spread(tried["mgd3"], *SETTLED["mgd3"])   # of one set
        chosen["guided"] |= choose(rows_of("stops"), "t_stop", error=error)
    return chosen


def hours(call:dict)->tuple:  # runs, core-hours
    "What a call of `sweep_settings` will cost."
    runs = 1
    for v in call.values(): runs *= len(v) if isinstance(v, list) else 1
    n = call["ipc"][0] / 10
    steps = call.get("steps", [50])
    method = call["method"][0]
    sampling = SECONDS["distill"] * n * sum(steps) / len(steps) / 50 if method in GENERATED else 5
    training = SECONDS["student"] * n**.5 * call.get("students", 1)
    return runs, runs * (sampling + OWN.get(method, 0) + training) / 3600


def jobs_of(call:dict)->list:
    "A call of `sweep_settings` as jobs of `sweep`."
    from mgd3.guidance import SETTINGS
    from mgd3.sweeps import grid
    call = dict(call)
    if call["method"][0] not in GENERATED: call = {k: v for k, v in call.items() if k not in SAMPLER}
    first = [call.pop(k) for k in ("data", "method", "ipc", "seeds", "split")]
    shared = {k: call.pop(k) for k in list(call) if k in (*SETTINGS, "discovery", "students")}
    return grid(*first, "dit-cifar10", call, **shared)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--root"); p.add_argument("--run", metavar="STAGE"); p.add_argument("--choose", action="store_true")
    p.add_argument("--keep", default="kept-photographs"); p.add_argument("--calls", type=int, help="only the first so many")
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--out", type=Path, default=HERE.parent/"nbs"/"results"/"photographs")
    a = p.parse_args()
    if a.choose: return CHOSEN.write_text(json.dumps(choice(a.out)) + "\n")
    every = stages(json.loads(CHOSEN.read_text()))
    if not a.run:
        total = 0
        for name, calls in every.items():
            runs, cost = map(sum, zip((0, 0), *map(hours, calls)))
            total += cost
            print(f"{name:10} {runs:4} runs {cost:6.1f} core-hours")
        return print(f"in all {total:.1f} core-hours")
    from mgd3.methods import load_plugin
    from mgd3.pretrain import seen_by
    from mgd3.sweeps import sweep
    load_plugin(HERE/"controls.py")
    a.out.mkdir(parents=True, exist_ok=True)
    jobs = [j | dict(root=a.root, keep=a.keep, evals=1) for call in every[a.run][:a.calls] for j in jobs_of(call)]
    # one sweep for all calls: its processes encode the images once
    sweep(jobs, a.out/f"{a.run}.csv", a.workers, command=f"python benchmarks/photographs.py --run {a.run}",
          weights=f"dit-cifar10 after {seen_by('dit-cifar10'):,} images", seed=sorted({j["seed"] for j in jobs}))


if __name__ == "__main__": main()
