"""Run every command of the installed `mgd3` once, in small: `python tools/smoke.py`.

It needs no network, no GPU, no shell and nothing but the plain install, so it also runs on Windows. Every command has
to end with the expected exit code, say what is expected, and leave the files that it promises. A command without a job
here is a mistake. `python tools/smoke.py distill verify` runs the jobs up to the last one named.
"""
import json, os, subprocess, sys, tempfile, time
from pathlib import Path

JOBS = [   # command line, exit code, words on stdout or stderr, files
    ("--version", 0, ".", []),
    ("--help", 0, "usage: mgd3 COMMAND", []),
    ("info", 0, "dit-digits", []),
    ("info --method mgd3", 0, "mgd3", []),
    ("distill digit-pairs --ipc 2 --steps 10 --form x0 --out made", 0, "10 images of 5 classes",
     ["made/mgd3.json", "made/metadata.jsonl", "made/preview.png", "made/README.md", "made/0-5/00001.png"]),
    ("distill digit-pairs --ipc 2 --method random --out chosen --json", 0, '"images": 10', ["chosen/0-5/00001.png"]),
    ("distill digit-pears --out none", 2, "did you mean 'digit-pairs'", []),
    ("plan digit-pairs --ipc 1 --out none", 0, "nothing was written", []),
    ("verify made", 0, "as they should be", []),
    ("evaluate made chosen --epochs 2 --repeats 1", 0, "made", ["evaluations.jsonl"]),
    ("metrics made", 0, "", []),
    ("report made chosen --repeats 0 --out report.html", 0, "report.html", ["report.html"]),
    ("sweep digit-pairs --ipc 1 --scale .1 --seeds 0 --steps 10 --form x0 --workers 1 --out sweep.csv", 0, "",
     ["sweep.csv"]),
    ("teacher digit-pairs --epochs 1 --out teacher.safetensors", 0, "", ["teacher.safetensors"]),
    ("split photos --out parts", 0, "images to train on", ["parts/train/light/0.png"]),
    ("encode digit-pairs --store latents", 0, "latents of 1000 images", ["latents/mgd3.json"]),
    ("verify latents", 0, "as they should be", []),
    ("pretrain digits --size tiny --minutes .05 --no-flips --out trained", 0, "the same command goes on",
     ["trained.training/autoencoder.safetensors"]),
    ("push made me/made", 1, "HF_HUB_OFFLINE is set", []),
]

def photographs(folder):
    "Two classes of ten small images each. Pillow comes with the package."
    from PIL import Image
    for name, grey in (("light", 200), ("dark", 20)):
        (folder/name).mkdir(parents=True)
        for i in range(10): Image.new("RGB", (32, 32), (grey, grey, 5 * i)).save(folder/name/f"{i}.png")

def run(words, env, where):
    made = subprocess.run([sys.executable, "-m", "mgd3", *words.split()], cwd=where, env=env, capture_output=True)
    return made.returncode, (made.stdout + made.stderr).decode("utf-8", "replace")

def wrong(job, code, said, where):
    "What a job did not do, a line each."
    _, expected, words, files = job
    if code != expected: yield f"exit code {code}, expected {expected}"
    if words not in said: yield f"does not say {words!r}"
    if "Traceback" in said: yield "shows a traceback"
    yield from (f"did not write {f}" for f in files if not (where/f).is_file() or not (where/f).stat().st_size)

def lacking(env, where):
    "The commands of the program that no job tries."
    ask = "import json, mgd3.cli; print(json.dumps(list(mgd3.cli.COMMANDS)))"
    found = subprocess.run([sys.executable, "-c", ask], cwd=where, env=env, capture_output=True, check=True)
    return set(json.loads(found.stdout)) - {words.split()[0] for words, *_ in JOBS}

def main(names):
    env = os.environ | dict(HF_HUB_OFFLINE="1", MPLBACKEND="agg", PYTHONIOENCODING="utf-8", PYTHONUTF8="1")
    last = max((i for i, j in enumerate(JOBS) if j[0].split()[0] in names), default=len(JOBS) - 1)
    bad, begun = 0, time.time()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as tmp:
        where = Path(tmp)
        photographs(where/"photos")
        for name in sorted(lacking(env, where)): bad += 1; print(f"no job tries mgd3 {name}")
        for job in JOBS[:last + 1]:
            start = time.time()
            code, said = run(job[0], env, where)
            found = list(wrong(job, code, said, where))
            print(f"{time.time() - start:5.1f} s  mgd3 {job[0]}", flush=True)
            for line in found: print(f"         {line}")
            if found: bad += 1; print(said[-2000:])
    print(f"{last + 1 - bad} of {last + 1} commands as expected, in {time.time() - begun:.0f} s")
    sys.exit(bool(bad))

if __name__ == "__main__": main(sys.argv[1:])
