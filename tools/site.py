"""Check the pages of the site as nbdev makes them, without Quarto.

    python tools/site.py             # makes _proc/ with nbdev_proc_nbs, then looks at every page
    python tools/site.py --no-proc   # looks at the _proc/ that is there

Every page must begin with its introduction; its images and relative links must exist; no stored output may hold a
temporary path, a progress bar, a warning of a library or an address in memory; every figure must have alt text.
"""
import argparse, json, re, subprocess, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNWANTED = {"a temporary path": r"/tmp/|/var/folders/", "a progress bar": r"\d+%\|| \d+(\.\d+)?(it|s)/(s|it)\b",
            "an address in memory": r"\bat 0x[0-9a-f]{6,}", "a process number": r"\.\d+\.mgd3-part|\bpid \d+",
            "a library's warning": r"\w*Warning: "}

def cells(path): return json.loads(path.read_text(encoding="utf-8"))["cells"]
def source(cell): return "".join(cell["source"])

def introduction(nb):
    "Problems of the first cell, and the text that the page must begin with."
    first = [l for l in source(nb[0]).splitlines() if l.strip()]
    if [l for l in first if not l.startswith(("# ", ">"))]:
        yield "text of the first cell, below its title and > line, is lost"
    text = next((source(c) for c in nb[1:] if c["cell_type"] == "markdown"), "")
    if not text or text.startswith("#"): yield "no introduction: the second text must not be a heading"

def begins_with(page, nb):
    text = next((source(c) for c in nb[1:] if c["cell_type"] == "markdown"), "")
    words = lambda s: re.sub(r"\W+", " ", re.sub(r"\]\([^)]*\)", "]", s))[:60]
    return any(words(source(c)) == words(text) for c in page[:8] if c["cell_type"] == "markdown")

def links(nb, folder):
    "Relative images and links that lead nowhere."
    for c in nb:
        if c["cell_type"] != "markdown": continue
        text = re.sub(r"```.*?```", "", source(c), flags=re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text):
            target = target.split("#")[0]
            if not target or re.match(r"[a-z]+:", target): continue
            if not (folder/target).exists(): yield f"leads nowhere: {target}"
        for target in re.findall(r"!\[\s*\]\(([^)\s]+)\)", text): yield f"an image without alt text: {target}"

def shown(output):
    data = output.get("data", {})
    parts = [output.get("text", "")] + [v for k, v in data.items() if k.startswith("text/")]
    return "\n".join("".join(p) for p in parts)

def outputs(nb):
    "Stored outputs that no reader should see, and figures that say nothing to those who cannot."
    for c in nb:
        if c["cell_type"] != "code": continue
        for o in c.get("outputs", []):
            for what, pattern in UNWANTED.items():
                if m := re.search(pattern, shown(o)): yield f"{what} in an output: {m.group()!r} (cell {c.get('id')})"
        figure = any(k.startswith("image/") for o in c.get("outputs", []) for k in o.get("data", {}))
        if figure and "fig-alt:" not in source(c): yield f"a figure without alt text (cell {c.get('id')})"

def problems(path, proc):
    nb, page = cells(path), proc/path.name
    yield from introduction(nb)
    if not page.is_file(): yield "nbdev_proc_nbs made no page of it"
    else:
        if not begins_with(cells(page), nb): yield "its page does not begin with its introduction"
        yield from links(nb, proc)
    yield from outputs(nb)

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--no-proc", action="store_true")
    if not p.parse_args().no_proc:
        made = subprocess.run(["nbdev_proc_nbs"], cwd=ROOT, capture_output=True, text=True)
        if made.returncode: sys.exit(f"nbdev_proc_nbs failed: {made.stderr.strip()[-500:]}")
    found = [(p.name, why) for p in sorted((ROOT/"nbs").glob("*.ipynb")) for why in dict.fromkeys(problems(p, ROOT/"_proc"))]
    for name, why in found: print(f"{name}: {why}")
    print(f"{len(found)} problems in {len(list((ROOT/'nbs').glob('*.ipynb')))} pages")
    sys.exit(bool(found))

if __name__ == "__main__": main()
