"""Check the pages of the site as nbdev makes them, without Quarto.

    python tools/site.py             # makes _proc/ as nbdev_proc_nbs does, then looks at every page
    python tools/site.py --no-proc   # looks at the _proc/ that is there
    python tools/site.py --lengths   # also lists the pages by their length in screens
    python tools/site.py --notes     # also says which figures lack a caption or are coarse

Every page must begin with its introduction and be in the sidebar; links, anchors and images must lead somewhere;
no stored output may hold a temporary path, a progress bar, a warning of a library or an address in memory; figures
have alt text; code fits 88 columns; tests are folded; the commands that a page shows exist; no page is longer than 15
screens; the colours of both themes are legible.
"""
import argparse, base64, configparser, io, json, math, os, re, subprocess, sys
from pathlib import Path

import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from mgd3._site import check_commands, is_test, modules, names_of   # nothing of it imports torch

UNWANTED = {"a temporary path": r"/tmp/|/var/folders/", "a progress bar": r"\d+%\|| \d+(\.\d+)?(it|s)/(s|it)\b",
            "an address in memory": r"\bat 0x[0-9a-f]{6,}", "a process number": r"\.\d+\.mgd3-part|\bpid \d+",
            "a library's warning": r"\w*Warning: "}
COLUMNS, SCREENS = 88, 15
LINE, SCREEN, WIDTH = 20, 900, 750     # px: a line of text, a screen, the text
PROSE, SCROLL = 95, 24                 # characters in a line of text; lines after which an output scrolls (styles.css)

def cells(path): return json.loads(path.read_text(encoding="utf-8"))["cells"]
def source(cell): return "".join(cell["source"])
def markdown(nb): return [source(c) for c in nb if c["cell_type"] == "markdown"]
def data(output, kind): return "".join(output.get("data", {}).get(kind, ""))


# Introductions and outputs

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

def shown(output):
    data = output.get("data", {})
    parts = [output.get("text", "")] + [v for k, v in data.items() if k.startswith("text/")]
    return "\n".join("".join(p) for p in parts)

def blank(png):
    "Is a picture empty, or of one colour?"
    try: im = Image.open(io.BytesIO(png)).convert("RGB")
    except OSError: return True
    return all(low == high for low, high in im.getextrema())

def outputs(nb):
    "Stored outputs that no reader should see, and figures that say nothing to those who cannot."
    for c in nb:
        if c["cell_type"] != "code": continue
        for o in c.get("outputs", []):
            for what, pattern in UNWANTED.items():
                if m := re.search(pattern, shown(o)): yield f"{what} in an output: {m.group()!r} (cell {c.get('id')})"
            if png := data(o, "image/png"):
                if blank(base64.b64decode(png)): yield f"an empty picture (cell {c.get('id')})"
        figure = any(k.startswith("image/") for o in c.get("outputs", []) for k in o.get("data", {}))
        if figure and "fig-alt:" not in source(c): yield f"a figure without alt text (cell {c.get('id')})"

def notes(nb):
    "What could be better: figures without a caption, and those of one pixel to the point."
    for i, c in enumerate(nb):
        pictures = [o for o in c.get("outputs", []) if "image/png" in o.get("data", {})]
        if not pictures: continue
        after = next((source(n).lstrip() for n in nb[i + 1:i + 3] if n["cell_type"] == "markdown"), "")
        if not after.startswith("*") and "fig-cap:" not in source(c): yield f"a figure without a caption (cell {c.get('id')})"
        if any("image/png" not in o.get("metadata", {}) for o in pictures):
            yield f"a figure of one pixel to the point (cell {c.get('id')})"


# Links, anchors and images

def anchor(heading):
    "The id that pandoc gives to a heading."
    if m := re.search(r"\{#([\w.-]+)[^}]*\}\s*$", heading): return m[1]
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    text = re.sub(r"<[^>]*>|\s\{[^}]*\}\s*$", "", text)
    text = re.sub(r"(?<!\w)_(?=\S)|(?<=\S)_(?!\w)", "", text)      # emphasis, but no_such
    text = re.sub(r"[^\w\s.-]", "", text.strip()).lower()
    return re.sub(r"^[^a-zα-ωà-ÿ]+", "", re.sub(r"\s+", "-", text))

def texts(page):
    "All Markdown of a page, that of its outputs, too, without code: brackets in it are no links."
    every = markdown(page) + [data(o, "text/markdown") for c in page for o in c.get("outputs", [])]
    every = [re.sub(r"```.*?```", "", t, flags=re.S) for t in every]
    return [re.sub(r"(`+)[^`\n]+\1", lambda m: re.sub(r"[][]", "", m[0]), t) for t in every]

def anchors(page):
    "The ids on a page: headings, and those that are given."
    found = []
    for t in texts(page):
        found += [anchor(m) for m in re.findall(r"^#{1,6} +(.+)$", t, re.M)]
        found += re.findall(r"\]\{#([\w.-]+)", t) + re.findall(r'\bid="([^"]+)"', t)
    return set(found)

def links(name, pages, folder):
    "Images and links of a page that lead nowhere."
    for t in texts(pages[name]):
        for target in re.findall(r"\]\(([^)\s]+)\)", t) + re.findall(r'src="([^"]+)"', t):
            file, _, at = target.partition("#")
            if re.match(r"[a-z]+:", target): continue
            if file and not (folder/file).exists(): yield f"leads nowhere: {target}"; continue
            if file.endswith((".png", ".svg")) and not (folder/file).stat().st_size: yield f"an empty image: {target}"
            to = file or name
            if at and to in pages and at not in anchors(pages[to]): yield f"no heading on {to} for #{at}"
        for target in re.findall(r"!\[\s*\]\(([^)\s]+)\)", t): yield f"an image without alt text: {target}"


# Code and length

def folded(text): return bool(re.search(r"^#\| *code-fold: *true", text, re.M))
def hidden(text): return bool(re.search(r"^#\| *echo: *false", text, re.M))
def lines_of(text): return [l for l in text.splitlines() if not l.startswith("#|")]

def code(page):
    "Lines of code that are cut off, and tests that stand open."
    for c in page:
        if c["cell_type"] != "code" or hidden(source(c)): continue
        for l in [] if folded(source(c)) else lines_of(source(c)):
            if len(l) > COLUMNS: yield f"{len(l)} columns of code: {l.strip()[:50]}… (cell {c.get('id')})"
        if is_test(source(c), c.get("outputs", [])) and "code-fold" not in source(c):
            yield f"a test that is not folded (cell {c.get('id')})"

def height_of_text(text, folder):
    "Pixels of Markdown, with its images; what is in <details> is closed."
    text = re.sub(r"(<summary>.*?</summary>).*?</details>", r"\1", text, flags=re.S)
    total, inside = 0, False
    for l in text.splitlines():
        if l.startswith("```"): inside = not inside
        if m := re.search(r"!\[[^\]]*\]\(([^)\s]+\.png)\)", l):
            w, h = Image.open(folder/m[1]).size if (folder/m[1]).exists() else (1, 1)
            total += h * min(1, WIDTH / w)
            l = ""
        if l.startswith("#"): total += 2 * LINE
        elif not l.strip(): total += .6 * LINE
        else: total += LINE * math.ceil(len(re.sub(r"\]\([^)]*\)", "]", l)) / (COLUMNS if inside else PROSE))
    return total

def height_of_output(o, folder):
    "Pixels of an output."
    if png := data(o, "image/png"):
        w, h = Image.open(io.BytesIO(base64.b64decode(png))).size
        told = o.get("metadata", {}).get("image/png", {})
        w, h = told.get("width", w), told.get("height", h)
        return h * min(1, WIDTH / w) + LINE
    if text := data(o, "text/markdown"): return height_of_text(text, folder)
    return LINE * (min(len(shown(o).splitlines()), SCROLL) + .5)

def screens(page, folder):
    "How long a page is, in screens of 900 px."
    total = 0
    for c in page:
        text = source(c)
        if c["cell_type"] == "markdown": total += height_of_text(text, folder)
        if c["cell_type"] != "code": continue
        total += LINE * (0 if hidden(text) else 1.5 if folded(text) else len(lines_of(text)) + 1)
        total += sum(height_of_output(o, folder) for o in c.get("outputs", []))
    return total / SCREEN

def length(name, page, folder):
    if (n := screens(page, folder)) > SCREENS + .5: yield f"{n:.0f} screens long, more than {SCREENS}"


# The site as a whole

def listed(entry):
    "The pages of a sidebar, in their order."
    if isinstance(entry, str): return [entry]
    if isinstance(entry, list): return [p for e in entry for p in listed(e)]
    return listed(entry.get("contents", [])) + listed(entry.get("href", []))

def sidebar(nbs):
    pages = listed(yaml.safe_load((nbs/"sidebar.yml").read_text(encoding="utf-8"))["website"]["sidebar"]["contents"])
    there = {p.name for p in nbs.glob("*.ipynb")}
    yield from (f"{p} is not in it" for p in sorted(there - set(pages)))
    yield from (f"{p} does not exist" for p in pages if not (nbs/p).exists())
    yield from (f"{p} is in it twice" for p in sorted({p for p in pages if pages.count(p) > 1}))

def settings():
    read = configparser.ConfigParser(interpolation=None)
    read.read(ROOT/"settings.ini")
    return read["DEFAULT"]

def quarto(nbs):
    "Files that _quarto.yml names, and addresses that are not those of settings.ini."
    text, s = (ROOT/"_quarto.yml").read_text(encoding="utf-8"), settings()
    site, project = (yaml.safe_load(text)[k] for k in ("website", "project"))
    for file in (site["favicon"], site["image"], "styles.css", "404.qmd", *project["resources"]):
        if not (nbs/file).is_file() or not (nbs/file).stat().st_size: yield f"{file} is missing or empty"
    for url in re.findall(r"https://github\.[\w./-]+", text + (nbs/"nbdev.yml").read_text(encoding="utf-8")):
        if not url.startswith(s["git_url"]): yield f"{url} is not in the repository of settings.ini, {s['git_url']}"
    bar = site["navbar"]
    if (c := contrast(bar["foreground"], bar["background"])) < 4.5: yield f"contrast of the navbar {c:.1f}, below 4.5"

def guide(nbs, pages):
    "Dead links of llms.txt."
    s = settings()
    site = s["doc_host"] + s["doc_baseurl"] + "/"
    made = {m[1] for p in pages.values() if (m := re.search(r"^output-file: (\S+)", source(p[0]), re.M))}
    for url in re.findall(r"\]\(([^)\s]+)\)", (nbs/"llms.txt").read_text(encoding="utf-8")):
        if url.startswith(s["git_url"]): continue
        if not url.startswith(site): yield f"{url} is not on this site, {site}"
        elif url.removeprefix(site) not in made: yield f"leads nowhere: {url}"

def api(pages):
    "Public names that the page of the API lacks."
    import ast
    text = "\n".join(markdown(pages["68_api.ipynb"]))
    for module, path in modules().items():
        for n in names_of(ast.parse(path.read_text(encoding="utf-8"))):
            if f"<code>{n}" not in text: yield f"{module}.{n} is not there"


# Colours

def luminance(colour):
    "Relative luminance of #rrggbb (WCAG 2)."
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (v / 12.92 if v <= .04045 else ((v + .055) / 1.055) ** 2.4 for v in parts)
    return .2126 * r + .7152 * g + .0722 * b

def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + .05) / (low + .05)

PAGES = {"light": "#ffffff", "dark": "#222222"}       # cosmo, darkly
ON_PAGE = "text muted link".split()
ON_CODE = "link code plain comment keyword string number function".split()

def colours(nbs):
    "Colours of the style sheet that are hard to read, and those that stand outside its two lists."
    css = re.sub(r"/\*.*?\*/", "", (nbs/"styles.css").read_text(encoding="utf-8"), flags=re.S)
    for theme, page in PAGES.items():
        block = re.search(rf"body\.quarto-{theme}\s*\{{(.*?)\}}", css, re.S)[1]
        css = css.replace(block, "")
        c = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{6})", block))
        if c.get("page") != page: yield f"the {theme} page is {c.get('page')}, its theme has {page}"
        pairs = [(n, "page") for n in ON_PAGE] + [(n, g) for n in ON_CODE for g in ("code-bg", "page")]
        for name, ground in pairs:
            if (v := contrast(c[name], c[ground])) < 4.5: yield f"{theme}: {name} on {ground} has contrast {v:.1f}, below 4.5"
    for m in re.findall(r"(?:color|background)[\w-]*:(?!\s*(?:var\(|none|inherit))([^;]+);", css): yield f"a colour outside the lists: {m}"
    for m in re.findall(r"opacity:\s*(?!1\b)([\d.%]+)", css): yield f"opacity {m} lowers the contrast"


# All of it

def problems(path, pages, proc):
    name, nb = path.name, cells(path)
    yield from introduction(nb)
    if name not in pages: yield "nbdev made no page of it"; return
    page = pages[name]
    if not begins_with(page, nb): yield "its page does not begin with its introduction"
    yield from links(name, pages, proc)
    yield from outputs(nb)
    yield from code(page)
    yield from length(name, page, proc)
    yield from check_commands("\n".join(markdown(nb)))

def drop_old(proc, nbs):
    "Remove pages of notebooks that no longer are, and those that are made of other files."
    before = proc.stat()
    for p in proc.glob("*.ipynb"):
        if not (nbs/p.name).exists() or "<!-- here: " in (nbs/p.name).read_text(encoding="utf-8"): p.unlink()
    os.utime(proc, ns=(before.st_atime_ns, before.st_mtime_ns))     # nbdev compares notebooks with the folder, too

def make_pages(proc, nbs):
    "What nbdev_proc_nbs does, which would try to install Quarto first."
    site = (ROOT/"mgd3"/"_site.py").stat().st_mtime
    old = any(p.stat().st_mtime < site for p in proc.glob("*.ipynb"))
    if proc.is_dir(): drop_old(proc, nbs)
    made = subprocess.run([sys.executable, "-c", f"from nbdev.serve import proc_nbs; proc_nbs(force={old})"], cwd=ROOT,
                          capture_output=True, text=True)
    if made.returncode: sys.exit(f"nbdev could not make the pages: {made.stderr.strip()[-500:]}")

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--no-proc", "--lengths", "--notes"): p.add_argument(option, action="store_true")
    asked, nbs, proc = p.parse_args(), ROOT/"nbs", ROOT/"_proc"
    if not asked.no_proc: make_pages(proc, nbs)
    books = sorted(nbs.glob("*.ipynb"))
    pages = {b.name: cells(proc/b.name) for b in books if (proc/b.name).is_file()}
    found = [(b.name, why) for b in books for why in dict.fromkeys(problems(b, pages, proc))]
    whole = {"sidebar.yml": sidebar(nbs), "_quarto.yml": quarto(nbs), "llms.txt": guide(nbs, pages),
             "68_api.ipynb": api(pages), "styles.css": colours(nbs),
             "README.md": check_commands((ROOT/"README.md").read_text(encoding="utf-8"))}
    found += [(name, why) for name, whys in whole.items() for why in whys]
    if asked.lengths:
        for n, name in sorted(((screens(v, proc), k) for k, v in pages.items()), reverse=True): print(f"{n:5.1f} {name}")
    said = [(b.name, why) for b in books for why in notes(cells(b))]
    for name, why in said * asked.notes: print(f"note: {name}: {why}")
    for name, why in found: print(f"{name}: {why}")
    print(f"{len(found)} problems in {len(books)} pages; {len(said)} notes (--notes)")
    sys.exit(bool(found))

if __name__ == "__main__": main()
