from pathlib import Path

import pytest

from workbench.errors import SpecError
from workbench.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


def test_the_key_is_never_shown() -> None:
    settings = Settings.from_env(
        {"ANTHROPIC_API_KEY": "sk-very-secret", "WORKBENCH_ROOT": str(ROOT)}
    )
    assert settings.api_key == "sk-very-secret"
    assert "secret" not in repr(settings)


def test_an_empty_key_is_no_key() -> None:
    assert Settings.from_env({"ANTHROPIC_API_KEY": ""}).api_key is None


def test_the_project_is_found_from_a_folder_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "notebooks")
    assert Settings.from_env({}).root == ROOT
    assert Settings.from_env({}).mlruns == ROOT / "mlruns"


@pytest.mark.parametrize("variable", ["WORKBENCH_ROOT", "WORKBENCH_DATA_DIR"])
def test_a_folder_that_does_not_exist_is_an_error(variable: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=f"{variable} is .*nowhere.*not a folder"):
        Settings.from_env({variable: str(tmp_path / "nowhere")})


def test_a_cassette_is_named_in_the_environment(tmp_path: Path) -> None:
    for name in ("datasets", "experiments"):
        (tmp_path / name).mkdir()
    (tmp_path / "pyproject.toml").touch()
    pack = tmp_path / "pack.yaml"
    environ = {"WORKBENCH_ROOT": str(tmp_path), "WORKBENCH_CASSETTE": str(pack)}
    with pytest.raises(SpecError, match=r"WORKBENCH_CASSETTE is .*pack\.yaml"):
        Settings.from_env(environ)
    pack.touch()
    settings = Settings.from_env(environ)
    assert settings.cassette == pack
    assert Settings.from_env(settings.to_environ({})) == settings
