"""What nbdev does with our cells when it makes the pages of the site (see `procs` in settings.ini).

Functions of `#| export` cells appear with their signature and documentation, as nbdev does it. Functions
that other modules use but no reader needs stand in `#| exporti` cells. Their code is folded, not hidden,
and so are the imports of a page. A cell may say by itself how it is folded (`#| code-fold: show`).
"""
import ast, re

HIDDEN = {"export", "exporti", "hide", "default_exp"}


def _only_imports(source:str)->bool:
    "Does a cell hold imports and nothing else?"
    return all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in ast.parse(source).body)

def _fold(cell, summary:str):
    if re.search(r"^#\| *code-fold:", cell.source, re.M): return
    cell.source = f'#| code-fold: true\n#| code-summary: "{summary}"\n{cell.source}'

def internal_code(cell):
    "Fold imports and the code of `#| exporti` cells; remove the cells that nbdev removes by `rm_export`."
    if cell.cell_type != "code" or not cell.directives_: return
    found = HIDDEN & cell.directives_.keys()
    if not found: return
    if found == {"export"} and cell.source.strip() and _only_imports(cell.source):
        _fold(cell, "Imports")
    elif found == {"exporti"}: _fold(cell, "Code behind it")
    else: del cell["source"]
