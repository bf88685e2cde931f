"""The wheel, alone in an empty environment outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SETUP_KIT", "VIRTUAL"))
    }
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False, timeout=280)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_what_reports_pipelines_and_errors_are_made_of(wheel: Path) -> None:
    carried = set(zipfile.ZipFile(wheel).namelist())
    templates = {str(path.relative_to(ROOT)) for path in ROOT.glob("setup_kit/*/templates/*")}
    assert len(templates) == 5
    assert templates <= carried
    assert "setup_kit/known_errors.yaml" in carried


def test_the_installed_wheel_runs_the_demonstration_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env" / "bin" / "python")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # The versions of the lock file, without its hashes: pip refuses a local wheel among hashed requirements.
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = tmp_path / "constraints.txt"
    pins.write_text("\n".join(line.removesuffix("\\").strip() for line in lines if line and not line.startswith(" ")))
    install = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", str(pins))

    lean = run(*install, str(wheel), cwd=elsewhere)
    assert lean.returncode == 0, lean.stderr
    command = str(tmp_path / "env" / "bin" / "setup-kit")
    assert run(command, "schema", cwd=elsewhere).returncode == 0
    without = run(command, "demo", cwd=elsewhere)
    assert without.returncode == 1
    assert "pip install 'setup-kit[sandbox]'" in without.stderr

    whole = run(*install, f"{wheel}[sandbox]", cwd=elsewhere)
    assert whole.returncode == 0, whole.stderr
    demo = run(command, "demo", cwd=elsewhere)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "Rows at the source and at the destination" in demo.stdout
    assert list(elsewhere.iterdir()) == []
