"""What nbdev does with our cells when it makes the pages of the site (see `procs` in settings.ini).

Functions of `#| export` cells appear with their signature and documentation, as nbdev does it. Functions
that other modules use but no reader needs stand in `#| exporti` cells. Their code is folded, not hidden.
"""
HIDDEN = {"export", "hide", "default_exp"}
SHOWN = {"exporti"}


def internal_code(cell):
    "Fold the code of `#| exporti` cells, and remove the cells that nbdev removes by `rm_export`."
    if cell.cell_type != "code" or not cell.directives_: return
    if HIDDEN & cell.directives_.keys(): del cell["source"]
    elif SHOWN & cell.directives_.keys():
        cell.source = f'#| code-fold: true\n#| code-summary: "Code behind it"\n{cell.source}'
