"""YAML as an editor reads it that knows a JSON Schema."""

import yaml


class _Loader(yaml.SafeLoader):
    """A time is the text of it."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if not tag.endswith(":timestamp")]
    for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def as_an_editor_reads(text: str) -> object:
    """What a schema is held against."""
    return yaml.load(text, _Loader)  # noqa: S506  it is a safe one
