import pytest

from sidecar.core.ids import IdType

LONE_SURROGATE = "\ud800"
UUID = "c0000000-0000-4000-8000-00000000000a"
NOWHERE_CANONICAL = (
    "+20", "0020", "2_0", " 20", "20 ", "20\n", "\u0662\u0660", "\uff12\uff10", "-0",
    "--1", "0x14", "2e1", "20.0", "00", "-020",
)  # fmt: skip
NO_UUIDS = (
    UUID.upper(),
    UUID.replace("-", ""),
    f"{{{UUID}}}",
    f"urn:uuid:{UUID}",
    f" {UUID}",
    f"{UUID}\n",
    UUID[:-1],
    f"{UUID}0",
    UUID.replace("c", "g"),
    UUID.replace("0", "\u0660"),
)
INTEGERS = [IdType.BIGINT, IdType.INTEGER]


@pytest.mark.parametrize("id_type", INTEGERS)
@pytest.mark.parametrize("text", ["0", "1", "20", "-1", "-20", "2147483647"])
def test_canonical_digits_name_an_integer(id_type: IdType, text: str) -> None:
    """An integer is named by its shortest decimal digits."""
    assert id_type.names(text)


@pytest.mark.parametrize("id_type", [*INTEGERS, IdType.UUID])
@pytest.mark.parametrize("text", ["", "x", "1" * 1000, "\0", "1\0", *NOWHERE_CANONICAL])
def test_other_forms_of_a_number_name_nothing(id_type: IdType, text: str) -> None:
    """A form that another one stands for is no id, neither of rows nor requested."""
    assert not id_type.names(text)
    assert not id_type.is_requestable(text)


@pytest.mark.parametrize(
    ("id_type", "text", "is_named"),
    [
        (IdType.BIGINT, "9223372036854775807", True),
        (IdType.BIGINT, "9223372036854775808", False),
        (IdType.BIGINT, "-9223372036854775808", True),
        (IdType.BIGINT, "-9223372036854775809", False),
        (IdType.INTEGER, "2147483647", True),
        (IdType.INTEGER, "2147483648", False),
        (IdType.INTEGER, "-2147483648", True),
        (IdType.INTEGER, "-2147483649", False),
    ],
)
def test_integers_are_named_within_their_width(
    id_type: IdType, text: str, *, is_named: bool
) -> None:
    """What the column cannot hold names nothing."""
    assert is_named is id_type.names(text)


@pytest.mark.parametrize("id_type", INTEGERS)
@pytest.mark.parametrize(
    ("text", "is_requestable"),
    [
        ("0", True),
        ("2147483648", True),
        ("9223372036854775807", True),
        ("9223372036854775808", False),
        ("-1", False),
    ],
)
def test_any_natural_int64_may_be_requested(
    id_type: IdType, text: str, *, is_requestable: bool
) -> None:
    """As an organization any int64 of 0 or more is well-formed."""
    assert is_requestable is id_type.is_requestable(text)


def test_a_uuid_is_named_in_lower_case_with_hyphens() -> None:
    """The form in which PostgreSQL writes a uuid names it."""
    assert IdType.UUID.names(UUID)
    assert IdType.UUID.is_requestable(UUID)


@pytest.mark.parametrize("text", NO_UUIDS)
def test_other_forms_of_a_uuid_name_nothing(text: str) -> None:
    """PostgreSQL would read some of these as the same uuid; here they are none."""
    assert not IdType.UUID.names(text)
    assert not IdType.UUID.is_requestable(text)


@pytest.mark.parametrize("text", ["x", "0020", " ", "\u0662", "\U0001f600", "a\nb"])
def test_any_text_names_a_text(text: str) -> None:
    """A text id is itself, whatever is in it."""
    assert IdType.TEXT.names(text)
    assert IdType.TEXT.is_requestable(text)


@pytest.mark.parametrize("text", ["", "\0", "a\0b", LONE_SURROGATE, "a\udfff"])
def test_what_no_database_stores_names_no_text(text: str) -> None:
    """Empty text, NUL and lone surrogates are in no text column."""
    assert not IdType.TEXT.names(text)
    assert not IdType.TEXT.is_requestable(text)


@pytest.mark.parametrize("id_type", INTEGERS)
def test_integers_are_sorted_by_value(id_type: IdType) -> None:
    """Ids of integer columns stand in the order of the numbers."""
    ids = ["10", "9", "-2", "100", "-10", "0"]

    assert ["-10", "-2", "0", "9", "10", "100"] == sorted(ids, key=id_type.sort_key)


@pytest.mark.parametrize("id_type", [IdType.TEXT, IdType.UUID])
def test_other_ids_are_sorted_as_text(id_type: IdType) -> None:
    """Ids of other columns stand in the order of their characters."""
    ids = ["b", "10", "B", "9"]

    assert ["10", "9", "B", "b"] == sorted(ids, key=id_type.sort_key)
