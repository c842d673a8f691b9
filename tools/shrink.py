"Store the PNG figures of notebooks with a palette (colours move by a level or two), less than half the size: `python tools/shrink.py nbs/02_stop_guidance.ipynb`."
import base64, io, json, sys
from pathlib import Path

from PIL import Image


def palette(png, colours=256):
    im, file = Image.open(io.BytesIO(base64.b64decode(png))), io.BytesIO()
    if im.mode == "P": return png
    flat = Image.new("RGB", im.size, "white")
    flat.paste(im, mask=im.getchannel("A") if "A" in im.getbands() else None)
    flat.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(file, "png", optimize=True)
    small = base64.b64encode(file.getvalue()).decode()
    return small if len(small) < len(png) else png


for path in map(Path, sys.argv[1:]):
    nb = json.loads(path.read_text())
    for cell in nb["cells"]:
        for out in cell.get("outputs", []):
            if "image/png" in (data := out.get("data", {})):
                data["image/png"] = palette("".join(data["image/png"]).replace("\n", ""))
    path.write_text(json.dumps(nb, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    print(path, path.stat().st_size // 1000, "kB")
