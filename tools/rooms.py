"""Checks the structure of the package: `python tools/rooms.py` lists what is wrong and exits with 1.

Imports go one way; the method imports nothing of the evaluation; no module takes another's private names;
no function has the name of its module; public names are few, and each belongs to one module; the front door
(`from mgd3 import …`) is small and leads to public names.
"""
import ast, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
METHOD = {"modes", "guidance", "stop_guidance", "beyond", "pulls", "parts", "schedules", "generators", "loading", "families", "hub",
          "configs", "classes", "weights", "data", "images", "folders", "sources", "files", "ours", "tables",
          "devices", "store", "changes", "seals", "tensor_files", "shipped", "reach", "folder", "selections", "methods", "distill", "checkpoints",
          "card", "hub_data"}
EVALUATION = {"networks", "training", "hard_label_eval", "soft_label_eval", "answers", "teachers", "features", "compare", "evaluation",
              "metrics", "sweeps", "ablations", "strengths", "provenance", "report", "pages"}
LINES, NAMES, FRONT = 390, 150, 60


def modules()->dict:
    "Path by module name, without the generated index."
    paths = [p for p in (ROOT/"mgd3").rglob("*.py") if not p.name.startswith("_") and "bundled" not in p.parts]
    return {".".join(p.relative_to(ROOT/"mgd3").with_suffix("").parts): p for p in paths}

def imports(tree, name:str, top_only:bool)->list:
    "The modules of this package that a module imports, with the names taken from each."
    found = []
    nodes = tree.body if top_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            inside = node.level > 0 or (node.module or "").split(".")[0] == "mgd3"
            if not inside: continue
            module = (node.module or "").removeprefix("mgd3").lstrip(".")
            if module: found.append((module, [a.name for a in node.names]))
            else: found += [(a.name, []) for a in node.names]
    return found

def circle(graph:dict)->list:
    "The modules of one circle of imports, if there is any."
    done, path = set(), []
    def visit(name):
        if name in path: return path[path.index(name):] + [name]
        if name in done: return []
        path.append(name)
        for other in graph.get(name, ()):
            if found := visit(other): return found
        path.pop(); done.add(name)
        return []
    for name in graph:
        if found := visit(name): return found
    return []

def public(tree)->list:
    "The names in `__all__`."
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return ast.literal_eval(node.value)
    return []

def front_door(names:dict)->list:
    "What is wrong with `from mgd3 import …`, given the public names of each module."
    sys.path.insert(0, str(ROOT))
    import mgd3
    bad = []
    if len(mgd3.__all__) > FRONT: bad.append(f"{len(mgd3.__all__)} names at the front door, more than {FRONT}")
    for name, room in mgd3._HOME.items():
        if name not in names.get(room, ()): bad.append(f"the front door has {name}, which is not public in {room}")
        if name in names: bad.append(f"the front door has {name}, which is also a module")
    return bad

def problems()->list:
    "Everything that is wrong, a line each."
    trees = {n: ast.parse(p.read_text(encoding="utf-8")) for n, p in modules().items()}
    every = {n: imports(t, n, top_only=False) for n, t in trees.items()}
    at_once = {n: {m for m, _ in imports(t, n, top_only=True)} for n, t in trees.items()}
    bad = []
    if found := circle({n: {m for m, _ in v} for n, v in every.items()}):
        bad.append("imports go round: " + " → ".join(found))
    for name, found in every.items():
        for module, names in found:
            bad += [f"{name} takes the private {n} from {module}" for n in names if n.startswith("_")
                    and not n.startswith("__")]
    for name in sorted(METHOD & at_once.keys()):
        bad += [f"{name} imports {m}, a room of the evaluation" for m in sorted(at_once[name] & EVALUATION)]
    names = {n: public(t) for n, t in trees.items()}
    owners = {}
    for module, given in names.items():
        if module.rsplit(".")[-1] in given: bad.append(f"{module} has a public name like itself")
        for n in given: owners.setdefault(n, []).append(module)
    bad += [f"{n} is public in {' and '.join(m)}" for n, m in owners.items() if len(m) > 1]
    if (count := sum(map(len, names.values()))) > NAMES: bad.append(f"{count} public names, more than {NAMES}")
    bad += front_door(names)
    for name, path in modules().items():
        if (n := len(path.read_text(encoding="utf-8").splitlines())) > LINES: bad.append(f"{name} has {n} lines")
    return bad


if __name__ == "__main__":
    found = problems()
    for line in found: print(line)
    print(f"{len(found)} problems in {len(modules())} modules")
    sys.exit(bool(found))
