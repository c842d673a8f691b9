"Reads everything from settings.ini, as nbdev's template does."
from configparser import ConfigParser
import re, shlex

from setuptools import find_packages, setup

config = ConfigParser(delimiters=["="])
config.read("settings.ini", encoding="utf-8")
cfg = config["DEFAULT"]

licenses = {"apache2": ("Apache Software License 2.0", "OSI Approved :: Apache Software License")}
statuses = ["0", "Pre-Alpha", "Pre-Alpha", "Alpha", "Beta", "Production/Stable"]
py_versions = [f"3.{v}" for v in (11, 12, 13)]

reqs = lambda key: shlex.split(cfg.get(key, ""))
extras = {m[1]: reqs(k) for k in cfg if (m := re.fullmatch(r"(\w+)_requirements", k))}

def on_package_page(text:str)->str:
    "The README with whole addresses in place of links that are relative to the repository."
    git, branch = cfg["git_url"].rstrip("/"), cfg["branch"]
    raw = git.replace("https://github.com/", "https://raw.githubusercontent.com/")
    def whole(m):
        return f"{m[1]}{raw}/{branch}/{m[2]}" if m[1].startswith("!") else f"{m[1]}{git}/blob/{branch}/{m[2]}"
    parts = re.split(r"(^```.*?^```)", text, flags=re.S | re.M)              # code stays as it is
    link = r"(!?\[[^\]]*\]\()(?![a-z]+:|#)([^)\s]+)"
    return "".join(part if i % 2 else re.sub(link, whole, part) for i, part in enumerate(parts))

pages = dict(Documentation=cfg["doc_host"] + cfg["doc_baseurl"], Source=cfg["git_url"],
             Changelog=f"{cfg['git_url']}/blob/{cfg['branch']}/CHANGELOG.md", Issues=f"{cfg['git_url']}/issues")

setup(
    name=cfg["lib_name"], version=cfg["version"], description=cfg["description"], keywords=cfg["keywords"],
    author=cfg["author"], author_email=cfg["author_email"], url=cfg["git_url"], project_urls=pages,
    license=licenses[cfg["license"]][0],
    classifiers=[f"Development Status :: {cfg['status']} - {statuses[int(cfg['status'])]}", "Intended Audience :: Science/Research",
                 "Natural Language :: English", f"License :: {licenses[cfg['license']][1]}", "Typing :: Typed",
                 "Topic :: Scientific/Engineering :: Artificial Intelligence"] + [f"Programming Language :: Python :: {v}" for v in py_versions],
    packages=find_packages(include=[cfg["lib_name"], cfg["lib_name"] + ".*"]), include_package_data=True,
    install_requires=reqs("requirements"), extras_require=extras, python_requires=">=" + cfg["min_python"],
    entry_points={"console_scripts": reqs("console_scripts"), "nbdev": [f"{cfg['lib_name']}={cfg['lib_name']}._modidx:d"]},
    long_description=on_package_page(open("README.md", encoding="utf-8").read()),
    long_description_content_type="text/markdown", zip_safe=False,
)
