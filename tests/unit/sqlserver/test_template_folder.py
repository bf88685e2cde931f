"""The templates are found where people edit them, and where the wheel puts them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from setup_kit.sqlserver.templates import template_folder, template_names

PROJECT = Path(__file__).parents[3]

SCRIPT = """
from setup_kit.sqlserver.templates import render, template_folder, template_names
print(template_folder())
print(len(template_names()))
print(render("drop_login", name="x").text)
"""


def test_a_checkout_uses_its_own_folder() -> None:
    assert Path(str(template_folder())) == PROJECT / "sql_templates"
    assert template_names() == sorted(path.name.partition(".")[0] for path in (PROJECT / "sql_templates").iterdir())


def test_an_installed_package_uses_the_templates_inside_it(tmp_path: Path) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for module in ("__init__.py", "secret.py", "errors.py", "sqlserver"):
        source = PROJECT / "setup_kit" / module
        target = tmp_path / "setup_kit" / module
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    shutil.copytree(PROJECT / "sql_templates", tmp_path / included["sql_templates"])
    # The folder of -c comes first in the path; this one must come before the checkout.
    lines = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert lines == [str(tmp_path / "setup_kit" / "sql_templates"), str(len(template_names())), "DROP LOGIN [x]"]
