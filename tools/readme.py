"Render README.md from nbs/index.ipynb (nbdev_readme needs Quarto; this needs nothing)."
import json, re
from pathlib import Path

root = Path(__file__).resolve().parent.parent


def text(v): return v if isinstance(v, str) else "".join(v)


def relinked(md): return re.sub(r"\]\((images/|\w+\.ipynb)", r"](nbs/\1", md)   # links as seen from the root


def output(o):
    data = o.get("data", {})
    if "text/markdown" in data: return relinked(text(data["text/markdown"]))
    plain = text(data.get("text/plain", "") or o.get("text", ""))
    return "\n".join("    " + line for line in plain.rstrip().splitlines())


def cell(c):
    src = text(c["source"]).strip()
    if src.startswith("#| hide"): return ""
    if c["cell_type"] == "markdown": return relinked(src)
    shown = [output(o) for o in c["outputs"]]
    body = "\n".join(line for line in src.splitlines() if not line.startswith("#|"))
    return "\n\n".join(([] if "#| echo: false" in src else [f"```python\n{body}\n```"]) + shown)


cells = json.loads((root/"nbs"/"index.ipynb").read_text())["cells"]
parts = [p for p in map(cell, cells) if p.strip()]
(root/"README.md").write_text("<!-- Made from nbs/index.ipynb by tools/readme.py: edit that. -->\n\n" + "\n\n".join(parts) + "\n")
