"""Masked fields cannot be read, and equal ones stay equal."""

import copy
from typing import cast

import pytest

from sidecar.audit.masking import Maskable, Masks
from sidecar.audit.record import Record, encoded
from tests.decision_log.making import record

KEY = b"k" * 32
WHOLE = record(
    rpc="ListContexts",
    caller={
        "subject": {"issuer": "https://login.example", "subject": "SECRET-subject"},
        "pinned_principal_id": "SECRET-principal_id",
        "organization_id": "SECRET-organization_id",
    },
    proved={"user_id": "SECRET-user_id", "pinned_principal_id": None},
    context={
        "user_id": "SECRET-user_id",
        "accessible_cluster_ids": ["SECRET-cluster_id"],
        "write_principal_id": "SECRET-principal_id",
    },
    question={
        "resources": [
            {
                "kind": "cluster",
                "id": "SECRET-resource_id",
                "attributes": {
                    "owner_principal_id": "SECRET-principal_id",
                    "cluster_id": "SECRET-cluster_id",
                },
            }
        ],
        "queries": [{"context": "DATA", "item": "SECRET-item"}],
    },
    answer=[{"kind": "ORGANIZATION", "name": "SECRET-name"}],
    peer="SECRET-peer",
    edge={"method": "GET", "path": "/SECRET-path", "route": "/{id}"},
)


def _applied(*masked: Maskable, key: bytes = KEY) -> Record:
    found = copy.deepcopy(WHOLE)
    Masks(masked, key).apply(found)
    return found


@pytest.mark.parametrize("masked", Maskable, ids=lambda each: each.value)
def test_masked_field_is_nowhere(masked: Maskable) -> None:
    """What is masked is in no part of the record, all else is as it was."""
    actual = encoded(_applied(masked))

    gone = f"SECRET-{masked.value}"
    others = [each for each in Maskable if each is not masked]
    assert gone not in actual
    assert all(f"SECRET-{each.value}" in actual for each in others)


def test_masked_fields_are_named() -> None:
    """The record says what is masked in it, and not what could have been."""
    actual = _applied(Maskable.SUBJECT, Maskable.NAME)["masked"]

    assert ["name", "subject"] == actual


def test_equal_values_stay_equal() -> None:
    """The same user is the same digest, in every part and every record."""
    first, second = _applied(Maskable.USER_ID), _applied(*Maskable)

    digests = {
        cast("Record", each[part])["user_id"]
        for each in (first, second)
        for part in ("proved", "context")
    }

    assert 1 == len(digests)


def test_digests_depend_on_the_key() -> None:
    """Whoever does not know the key cannot try out which user it is."""
    first, second = _applied(*Maskable), _applied(*Maskable, key=b"other" * 8)

    assert first["peer"] != second["peer"]


def test_values_shared_with_others_stay_as_they_are() -> None:
    """A context that many records share is not masked in place."""
    context = {"user_id": "1", "accessible_cluster_ids": ["4"]}
    found = record(context=context)

    Masks(Maskable, KEY).apply(found)

    assert {"user_id": "1", "accessible_cluster_ids": ["4"]} == context


@pytest.mark.parametrize(
    "masked",
    [
        Maskable.USER_ID,
        Maskable.PRINCIPAL_ID,
        Maskable.ORGANIZATION_ID,
        Maskable.CLUSTER_ID,
        Maskable.RESOURCE_ID,
    ],
    ids=lambda each: each.value,
)
def test_ids_in_filters_are_masked(masked: Maskable) -> None:
    """A list filter and its SQL say whose rows they are, which is masked too."""
    field = {"field": "OWNER_PRINCIPAL_ID"}
    found = record(
        rpc="GetListFilter",
        answer=[
            {
                "filter": {
                    "condition": {
                        "any_of": {
                            "conditions": [
                                {"equals": {**field, "value": "SECRET"}},
                                {"in": {**field, "values": ["SECRET"]}},
                            ]
                        }
                    }
                },
                "sql": {
                    "text": "owner = $1",
                    "parameters": [
                        {"text": "SECRET"},
                        {"int64": 4242},
                        {"uuid_array": {"values": ["SECRET"]}},
                    ],
                },
            }
        ],
    )

    Masks([masked], KEY).apply(found)

    actual = encoded(found)
    assert "SECRET" not in actual
    assert "4242" not in actual
    assert "owner = $1" in actual


def test_nothing_is_masked_unless_told() -> None:
    """Without fields to mask a record stays as it is."""
    assert _applied() == WHOLE
