"""config/schema.json and config/KEYS.md are what the code says today."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from borderlab.config.documentation import keys_text, schema_text
from borderlab.files import read_json
from borderlab.spec import RecipeSpec


@pytest.mark.parametrize(("name", "text"), [("schema.json", schema_text()), ("KEYS.md", keys_text())])
def test_generated_file_is_in_step(repository: Path, name: str, text: str) -> None:
    assert (repository / "config" / name).read_text(encoding="utf-8") == text, "run `borderlab schema`"


def test_every_key_of_a_recipe_is_documented_with_its_default() -> None:
    text = keys_text()
    for name, field in RecipeSpec.model_fields.items():
        assert f"| `{name}` |" in text
        if isinstance(field.default, int | float | str) and not isinstance(field.default, bool):
            assert str(field.default).strip("'") in text


def test_schema_rejects_what_the_code_rejects(repository: Path) -> None:
    schema = read_json(repository / "config" / "schema.json")
    values = yaml.safe_load((repository / "config" / "camvid.yaml").read_text())
    values["scale"] = "huge"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, schema)
