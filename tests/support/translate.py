"""Requests and answers of a case in the ids of the schema that a world is stored in."""

from tests.store.foreign.load import translate
from tests.support.serving import Schema

Json = object

_RELATIONS = {
    "user_id": "users",
    "pinned_principal_id": "principals",
    "organization_id": "principals",
    "current_principal_id": "principals",
    "write_principal_id": "principals",
    "owner_principal_id": "principals",
    "principal_id": "principals",
    "cluster_id": "resources",
    "accessible_cluster_ids": "resources",
    "id": "resources",
    "feature_instance_id": "feature_instances",
    # The values of a filter's fields are all ids of the tenancy.
    "value": "principals",
    "values": "resources",
}


def translated(value: Json, schema: Schema, name: str = "") -> Json:
    """The same in the ids of a schema; lists of ids are sorted anew."""
    if isinstance(value, dict):
        return {key: translated(each, schema, key) for key, each in value.items()}
    if isinstance(value, list):
        each = [translated(element, schema, name) for element in value]
        is_ids = name in {"accessible_cluster_ids", "values"}
        return sorted(each, key=str) if is_ids else each
    if isinstance(value, str) and name in _RELATIONS and schema.flavour is not None:
        return translate(schema.flavour, _RELATIONS[name], value)
    return value
