"""What nbdev does with our cells when it makes the pages of the site (see `procs` in settings.ini).

Functions of `#| export` cells appear with their signature and documentation, as nbdev does it. Functions
that other modules use but no reader needs stand in `#| exporti` cells. Their code is folded, not hidden,
and so are the imports of a page, its tests, its measurements (`#| slow`), and code of more than twelve lines that
draws a figure or a table. A cell may say by itself how it is folded (`#| code-fold: show`).

A markdown cell `<!-- here: public names -->` is replaced by the index of the public names, and
`<!-- here: changelog -->` by CHANGELOG.md. Both are read from their source whenever the site is made,
so the page cannot be older than what it tells. Nothing here imports torch.
"""
import ast, contextlib, copy, io, json, re, shlex, tempfile, tokenize
from html import escape
from pathlib import Path

LIB = Path(__file__).resolve().parent
HIDDEN = {"export", "exporti", "hide", "default_exp"}
LINE = 88    # columns of code that fit a page
SCREEN = 45  # lines of code that fit a screen
SHORT = 12   # lines of code that stay open above a figure, a table or another output


# Folding

def _only_imports(source:str)->bool:
    "Does a cell hold imports and nothing else?"
    try: body = ast.parse(source).body
    except SyntaxError: return False                     # a magic of the notebook
    return bool(body) and all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in body)

def tests(source:str)->bool:
    "Does a cell test something, by `assert` or by a function of fastcore.test?"
    try: nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError: return False                     # a magic of the notebook
    called = [getattr(n.func, "id", "") for n in nodes if isinstance(n, ast.Call)]
    return any(n.startswith("test_") for n in called) or any(isinstance(n, ast.Assert) for n in nodes)

def is_long(source:str)->bool:
    return len([l for l in source.splitlines() if l.strip() and not l.startswith("#|")]) > SHORT

def is_test(source:str, outputs:list)->bool:
    "Is a cell there for its test? One with an output shows something, unless it is long."
    return tests(source) and (not outputs or is_long(source))

def purpose(cell)->str:
    "What a cell is there for, where its code may be folded: tests, measurements, long code of figures and tables."
    made = cell.get("outputs", [])
    if _only_imports(cell.source): return "Imports"
    if "slow" in (cell.directives_ or {}): return "How it was measured"
    kinds = {k for o in made for k in o.get("data", {})}
    if is_long(cell.source):
        if any(k.startswith("image/") for k in kinds): return "Code of the figure"
        if "text/markdown" in kinds: return "Code of the table"
    return "Test" if is_test(cell.source, made) else ""

def close(cell):
    "Fold the source of an exported function that fills a screen: its signature stands above it already."
    if len(cell.source.splitlines()) > SCREEN: cell.source = cell.source.replace("code-fold: show", "code-fold: true", 1)

def _fold(cell, summary:str):
    if re.search(r"^#\| *(code-fold|echo):", cell.source, re.M): return
    cell.source = f'#| code-fold: true\n#| code-summary: "{summary}"\n{cell.source}'

def internal_code(cell):
    "Fold imports, tests and the code of `#| exporti` cells; remove the cells that nbdev removes by `rm_export`."
    if cell.cell_type == "markdown": return fill(cell)
    if cell.cell_type != "code" or not cell.source: return
    found = HIDDEN & (cell.directives_ or {}).keys()
    if not found:
        if not cell.source.strip(): return
        if "exports" in (cell.directives_ or {}): return close(cell)
        if summary := purpose(cell): _fold(cell, summary)
    elif found == {"export"} and cell.source.strip() and _only_imports(cell.source):
        _fold(cell, "Imports")
    elif found == {"exporti"}: _fold(cell, "Code behind it")
    else: del cell["source"]

def fill(cell):
    "Replace a cell that names a generated text by that text."
    said = re.fullmatch(r"<!-- here: (.+) -->", cell.source.strip())
    if said: cell.source = {"public names": public_names, "changelog": changelog}[said[1]]()


# The index of public names

def modules()->dict:
    "Path of each module with public names, by its name within the package."
    found = {}
    for p in sorted(LIB.rglob("*.py")):
        if p.name.startswith("_") or "bundled" in p.parts: continue
        if names_of(ast.parse(p.read_text(encoding="utf-8"))):
            found[".".join(p.relative_to(LIB).with_suffix("").parts)] = p
    return found

def names_of(tree)->list:
    "What a module has in `__all__`."
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return ast.literal_eval(node.value)
    return []

def _comments(text)->dict:
    "The comment at the end of each line."
    read = tokenize.generate_tokens(io.StringIO(text).readline)
    return {t.start[0]: t.string.lstrip("# ") for t in read if t.type == tokenize.COMMENT}

def parameters(node, said:dict)->list:
    "Name, type, default and meaning of what a function or a dataclass takes."
    if isinstance(node, ast.ClassDef):
        fields = [n for n in node.body if isinstance(n, ast.AnnAssign)]
        found = [(n.target.id, n.annotation, n.value, n) for n in fields]
        starts = [n for n in node.body if getattr(n, "name", "") == "__init__"]
        return found if not starts else _takes(starts[0], said)[1:]
    return _takes(node, said)

def _takes(node, said):
    a = node.args
    plain = a.posonlyargs + a.args
    usual = [None] * (len(plain) - len(a.defaults)) + a.defaults + a.kw_defaults
    found = [(p.arg, p.annotation, d, p) for p, d in zip(plain + a.kwonlyargs, usual)]
    star = [("*" + a.vararg.arg, a.vararg.annotation, None, a.vararg)] if a.vararg else []
    rest = [("**" + a.kwarg.arg, a.kwarg.annotation, None, a.kwarg)] if a.kwarg else []
    return found[:len(plain)] + star + found[len(plain):] + rest

def _plain(node)->str: return re.sub(r"field\(default_factory=(\w+)\)", r"\1()", ast.unparse(node))
def _cell(text)->str: return " ".join(str(text).split()).replace("|", "\\|")
def _code(node)->str: return f"`{_cell(_plain(node))}`" if node is not None else ""

def table(node, said:dict)->str:
    "Its parameters as a table of Markdown; empty where it takes none."
    rows = [f"| `{name}` | {_code(kind)} | {_code(default)} | "
            f"{_cell(escape(said.get((default or at).end_lineno, ''), quote=False))} |"
            for name, kind, default, at in parameters(node, said) if name != "self"]
    head = ["| name | type | default | meaning |", "|---|---|---|---|"]
    return "\n".join(head + rows) if rows else ""

def signature(node)->str:
    "How a function or a class is called, in one line without types."
    if {"property", "patch(as_prop=True)"} & {ast.unparse(d) for d in node.decorator_list}: return node.name
    starts = [n for n in getattr(node, "body", []) if getattr(n, "name", "") == "__init__"]
    if isinstance(node, ast.ClassDef) and not starts:
        taken = [name + (f"={_plain(d)}" if d is not None else "") for name, _, d, _ in parameters(node, {})]
        return f"{node.name}({', '.join(taken)})"
    a = copy.deepcopy((starts[0] if isinstance(node, ast.ClassDef) else node).args)
    for p in ast.walk(a):
        if isinstance(p, ast.arg): p.annotation = None
    return f"{node.name}({re.sub(r'^self(, )?', '', ast.unparse(a))})"

def _methods(name, trees)->list:
    "The public methods of a class: those in its body, and those that are patched on it."
    own, tree = trees[name], trees[""]
    found = [n for n in own.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
    for n in tree.body:
        if isinstance(n, ast.FunctionDef) and n.args.args and not n.name.startswith("_"):
            kind = n.args.args[0].annotation
            if n.args.args[0].arg == "self" and kind is not None and ast.unparse(kind) == name: found.append(n)
    return [f"- `{signature(n)}`" + (f": {about}" if (about := _about(n)) else "") for n in found]

def _about(node)->str:
    text = " ".join((ast.get_docstring(node) or "").split())
    return escape(text, quote=False)

def _entry(name, node, said, trees, chapter, front)->str:
    "A public name: one line, which opens to show its parameters."
    if node is None: call, about, inside = name, "", ""
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        call, inside = name, ""
        notes = [said[i] for i in range(node.lineno - 1, node.end_lineno + 1) if i in said]
        about = escape(next((n for n in notes if not n.startswith("%%")), "A table by name."), quote=False)
    else:
        call, about, inside = signature(node), _about(node), table(node, said)
        if isinstance(node, ast.ClassDef): inside += "\n\n" + "\n".join(_methods(name, trees))
    where = f"[Its chapter]({chapter}#{name.lower()})." if isinstance(node, (ast.FunctionDef, ast.ClassDef)) \
        else f"[Its chapter]({chapter})."
    if front: where += f" Also `from mgd3 import {name}`."
    if len(call) > LINE: call = call[:call.rindex(", ", 0, LINE)] + ", …)"
    return (f'<details><summary><code>{escape(call, quote=False)}</code> {about}</summary>\n\n'
            f"{inside}\n\n{where}\n\n</details>")

def public_names()->str:
    "The index of the public names, as Markdown: a heading for each module, a line for each name."
    import mgd3
    parts = []
    for module, path in modules().items():
        text = path.read_text(encoding="utf-8")
        tree, said = ast.parse(text), _comments(text)
        chapter = Path(re.search(r"File to edit: (\S+\.ipynb)", text)[1]).name
        defined = {}
        for n in tree.body:
            targets = [t for part in getattr(n, "targets", []) for t in ast.walk(part)] or [n]
            for t in targets: defined.setdefault(getattr(t, "name", getattr(t, "id", "")), n)
        trees = defined | {"": tree}
        about = (ast.get_docstring(tree) or "").split("\n")[0]
        parts.append(f"## mgd3.{module}\n\n[{escape(about, quote=False)}]({chapter})")
        parts += [_entry(n, defined.get(n), said, trees, chapter, n in mgd3.__all__)
                  for n in names_of(tree)]
    return "\n\n".join(parts)


# Other texts

def changelog()->str:
    "CHANGELOG.md below its title, with links as seen from the pages."
    file = LIB.parent/"CHANGELOG.md"
    text = file.read_text(encoding="utf-8").split("\n", 1)[1]
    return re.sub(r"\]\(nbs/", "](", text).strip()


# The commands that a page shows

def shown_commands(text:str)->list:
    "The command lines of `mgd3` in the shell blocks of a page, a list of words each."
    found = []
    for block in re.findall(r"```(?:sh|bash)\n(.*?)```", text, re.S):
        for line in re.split(r"\n|&&", block.replace("\\\n", " ")):
            words = shlex.split(line, comments=True)
            if words[:2] == ["accelerate", "launch"] and "mgd3" in words: words = words[words.index("mgd3"):]
            if words[:1] == ["mgd3"] and len(words) > 1: found.append(words)
    return found

def check_commands(text:str)->list:
    "Read each shown command as the program reads it; returns what is wrong, a line each."
    from mgd3.cli import COMMANDS
    from mgd3.options import parse
    wrong = []
    for _, command, *words in shown_commands(text):
        if command.startswith("-") or {"-h", "--help"} & set(words): continue
        try:
            if command not in COMMANDS: raise ValueError(f"there is no command {command!r}")
            parse(f"mgd3 {command}", "", COMMANDS[command].options, words)
        except ValueError as e: wrong.append(f"{shlex.join(['mgd3', command, *words])}: {e}")
    return wrong

def page_text(name:str)->str:
    "The Markdown of a notebook of this book."
    cells = json.loads((LIB.parent/"nbs"/name).read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


class Shell:
    "A folder of its own, in which a page runs the commands that it shows."
    def __init__(self):
        self.work = tempfile.TemporaryDirectory()
        self.folder = Path(self.work.name)
    def __call__(self, line:str):
        "Show a command and what it says; it has to succeed."
        from mgd3.cli import run
        out, err = Terminal(), Terminal()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            with contextlib.chdir(self.folder): code = run(shlex.split(line)[1:])
        notes = [l for l in err.getvalue().splitlines() if ": note: " in l]
        print(f"$ {line}", *[t for t in (out.getvalue().strip(), *notes) if t], sep="\n")
        assert code == 0, err.getvalue()

class Terminal(io.StringIO): encoding = "utf-8"
