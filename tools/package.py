"""Check what a package page would show: `python tools/package.py` lists what is wrong and exits with 1.

The links and images of the README must be whole addresses there, and stay relative in README.md itself. The project's
pages must be named, and the extras of settings.ini be there. Only the metadata are made, in a temporary folder.
"""
import re, subprocess, sys, tempfile
from email import message_from_string
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = {"Documentation", "Source", "Changelog", "Issues"}
LINK = r"!?\[[^\]]*\]\(([^)\s]+)\)"

def metadata():
    "What the package says of itself."
    with tempfile.TemporaryDirectory() as tmp:
        made = subprocess.run([sys.executable, "setup.py", "-q", "egg_info", "--egg-base", tmp], cwd=ROOT,
                              capture_output=True, text=True)
        if made.returncode: sys.exit(f"setup.py egg_info failed: {made.stderr.strip()[-500:]}")
        return message_from_string(next(Path(tmp).glob("*.egg-info/PKG-INFO")).read_text(encoding="utf-8"))

def prose(text): return re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)

def problems(m):
    "Everything that is wrong, a line each."
    page, own = prose(m.get_payload()), prose((ROOT/"README.md").read_text(encoding="utf-8"))
    targets, ours = re.findall(LINK, page), re.findall(LINK, own)
    if len(targets) != len(ours): yield f"the package page has {len(targets)} links, README.md {len(ours)}"
    for t in targets:
        if not re.match(r"https?://|#", t): yield f"a relative link on the package page: {t}"
    for image in re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", page):
        if "/blob/" in image: yield f"an image of a page, not of a file: {image}"
    for t in ours:
        if not re.match(r"[a-z]+:|#", t) and not (ROOT/t.split("#")[0]).exists(): yield f"README.md links nowhere: {t}"
    named = {u.split(",")[0] for u in m.get_all("Project-URL", [])}
    if lost := PAGES - named: yield f"no project page called {', '.join(sorted(lost))}"
    if not {"dev", "hub", "t2i"} <= set(m.get_all("Provides-Extra", [])): yield "an extra is missing"
    if m["Description-Content-Type"] != "text/markdown": yield "the description is not said to be Markdown"

if __name__ == "__main__":
    found = list(problems(metadata()))
    for line in found: print(line)
    print(f"{len(found)} problems on the package page")
    sys.exit(bool(found))
