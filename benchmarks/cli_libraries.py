#!/usr/bin/env python
"""Three commands with argparse, fastcore's call_parse, jsonargparse and tyro.

    python benchmarks/cli_libraries.py nbs/results/cli_libraries.csv

Each library gets a virtual environment of its own (so pip needs its index) and a short program in the way of its
manual. The same three functions are the commands. What a program can do is found out by running it.
"""
import os, subprocess, sys, tempfile, time, venv
from pathlib import Path

COMMANDS = '''
from typing import Literal

def distill(data:str="digit-pairs",  # a dataset's name or a folder
            out:str="distilled",     # folder to write
            ipc:int=10,              # images per class
            steps:int|None=None,     # sampling steps
            form:Literal["mean", "x0", "eps"]="mean",  # where the pull is put
            batch_size:int=50,       # images in a chunk
            download:bool=False,     # let torchvision fetch cifar10
           ):
    "Distill a dataset."
    print("distill", data, out, ipc, steps, form, batch_size, download)

def evaluate(dirs:list[str],         # distilled datasets
             protocol:Literal["hard", "soft"]="hard",  # hard or soft labels
             repeats:int=3,          # of each student
            ):
    "Train students."
    print("evaluate", dirs, protocol, repeats)

def info(generator:str|None=None,    # say what it is
        ):
    "Versions and names."
    print("info", generator)
'''

PROGRAMS = {
"argparse": '''
import argparse
from commands import distill, evaluate, info
parser = argparse.ArgumentParser("mgd3")
sub = parser.add_subparsers(dest="command", required=True)
p = sub.add_parser("distill", help=distill.__doc__)
p.add_argument("data", nargs="?", default="digit-pairs", help="a dataset's name or a folder")
p.add_argument("--out", default="distilled", help="folder to write (default: distilled)")
p.add_argument("--ipc", type=int, default=10, help="images per class (default: 10)")
p.add_argument("--steps", type=int, help="sampling steps")
p.add_argument("--form", choices=("mean", "x0", "eps"), default="mean", help="where the pull is put (default: mean)")
p.add_argument("--batch_size", type=int, default=50, help="images in a chunk (default: 50)")
p.add_argument("--download", action="store_true", help="let torchvision fetch cifar10")
p = sub.add_parser("evaluate", help=evaluate.__doc__)
p.add_argument("dirs", nargs="+", help="distilled datasets")
p.add_argument("--protocol", choices=("hard", "soft"), default="hard", help="hard or soft labels (default: hard)")
p.add_argument("--repeats", type=int, default=3, help="of each student (default: 3)")
p = sub.add_parser("info", help=info.__doc__)
p.add_argument("generator", nargs="?", help="say what it is")
args = vars(parser.parse_args())
dict(distill=distill, evaluate=evaluate, info=info)[args.pop("command")](**args)
''',
"fastcore": '''
import sys
from fastcore.script import anno_parser
from commands import distill, evaluate, info
functions = dict(distill=distill, evaluate=evaluate, info=info)
if len(sys.argv) < 2 or sys.argv[1] not in functions: sys.exit(f"usage: mgd3 {{{','.join(functions)}}} ...")
fn = functions[sys.argv[1]]
fn.__annotations__ |= {k: str for k, v in fn.__annotations__.items() if "Literal" in str(v)}   # it knows none
args = vars(anno_parser(fn, prog=f"mgd3 {sys.argv[1]}").parse_args(sys.argv[2:]))
fn(**{k: v for k, v in args.items() if k not in ("pdb", "xtra")})
''',
"jsonargparse": '''
from jsonargparse import auto_cli
from commands import distill, evaluate, info
auto_cli(dict(distill=distill, evaluate=evaluate, info=info), prog="mgd3")
''',
"tyro": '''
import tyro
from commands import distill, evaluate, info
tyro.extras.subcommand_cli_from_dict(dict(distill=distill, evaluate=evaluate, info=info), prog="mgd3")
'''}
PACKAGES = dict(argparse=[], fastcore=["fastcore"], jsonargparse=["jsonargparse", "pyyaml"], tyro=["tyro"])

def asked(python, folder, *words):
    "Exit code, what was said, and seconds."
    begun = time.perf_counter()
    p = subprocess.run([python, "program.py", *words], cwd=folder, capture_output=True, text=True,
                       env=os.environ | dict(COLUMNS="100", NO_COLOR="1"))
    return p.returncode, p.stdout.strip(), p.stderr.strip(), time.perf_counter() - begun

def tried(name, tmp):
    folder = Path(tmp)/name
    venv.create(folder/"venv", with_pip=True)
    python = str(folder/"venv"/"bin"/"python")
    if PACKAGES[name]: subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES[name]], check=True)
    (folder/"commands.py").write_text(COMMANDS); (folder/"program.py").write_text(PROGRAMS[name].lstrip())
    (folder/"settings.yaml").write_text("ipc: 7\n")
    ask = lambda *words: asked(python, folder, *words)
    yes = lambda ok: "yes" if ok else "no"
    code, text, *_ = ask("distill", "--help")
    positional = ask("distill", "digits")[1].startswith("distill digits ")
    data = ["digits"] if positional else ["--data", "digits"]
    runs = lambda words, said: ask(*words)[:2] == (0, said)
    distilled = "distill digits distilled 10 None mean 3 False"
    mistyped = " ".join(ask("distill", *data, "--stepz", "3")[2].split())
    error = ask("distill", *data, "--ipc", "ten")
    seconds = min(ask("distill", "--help")[3] for _ in range(7))
    packages = subprocess.run([python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True).stdout
    return {"library": name, "packages": len(packages.split()) - 2, "lines": len(PROGRAMS[name].strip().splitlines()),
            "seconds": round(seconds, 2), "comments in help": yes("images per class" in text),
            "choices in help": yes("x0" in text), "choices kept": yes(ask("distill", *data, "--form", "middle")[0] == 2),
            "defaults in help": yes("50" in text),
            "several folders": yes(runs(["evaluate", "a", "b"], "evaluate ['a', 'b'] hard 3")),
            "--batch_size": yes(runs(["distill", *data, "--batch_size", "3"], distilled)),
            "--batch-size": yes(runs(["distill", *data, "--batch-size", "3"], distilled)),
            "suggests": yes("--steps" in mistyped and "usage" not in mistyped or "meant" in mistyped),
            "settings file": yes(" 7 " in ask("distill", *data, "--config", "settings.yaml")[1]),
            "error lines": len(error[2].splitlines())}

if __name__ == "__main__":
    from mgd3.tables import save_rows
    with tempfile.TemporaryDirectory() as tmp:
        rows = [tried(name, tmp) for name in PROGRAMS]
    save_rows(sys.argv[1], rows, command="python benchmarks/cli_libraries.py", seed="none")
