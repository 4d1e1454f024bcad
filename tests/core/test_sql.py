import pytest

from sidecar.core.filters import (
    EVERYTHING,
    NOTHING,
    AllOf,
    AnyOf,
    Equals,
    Field,
    In,
    ListFilter,
)
from sidecar.core.ids import IdType
from sidecar.core.sql import (
    ColumnMissingError,
    PlaceholderStyle,
    SqlFilter,
    SqlOptions,
    SqlParameter,
    is_column,
    render,
)

COLUMNS = {Field.OWNER_PRINCIPAL_ID: "owner", Field.CLUSTER_ID: "s.T.Cluster"}
BIGINTS = dict.fromkeys(Field, IdType.BIGINT)
OWNED = Equals(Field.OWNER_PRINCIPAL_ID, "20")
GRANTED = In(Field.CLUSTER_ID, ("5", "6"))
ODD = Equals(Field.OWNER_PRINCIPAL_ID, "+20")


def _render(
    chosen: ListFilter,
    style: PlaceholderStyle = PlaceholderStyle.DOLLAR,
    first: int = 1,
) -> SqlFilter:
    return render(chosen, SqlOptions(COLUMNS, style, first), BIGINTS)


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (
            PlaceholderStyle.DOLLAR,
            '(("owner" = $3) OR ("s"."T"."Cluster" = ANY($4)))',
        ),
        (
            PlaceholderStyle.FORMAT,
            '(("owner" = %s) OR ("s"."T"."Cluster" = ANY(%s)))',
        ),
        (
            PlaceholderStyle.QUESTION,
            '(("owner" = ?) OR ("s"."T"."Cluster" IN (?, ?)))',
        ),
        (
            PlaceholderStyle.NAMED,
            '(("owner" = :p3) OR ("s"."T"."Cluster" IN (:p4, :p5)))',
        ),
    ],
)
def test_each_style_writes_parameters_its_way(
    style: PlaceholderStyle, expected: str
) -> None:
    """Columns are quoted part by part, and parameters counted from the first."""
    rendered = _render(AnyOf((OWNED, GRANTED)), style, 3)

    assert expected == rendered.text


@pytest.mark.parametrize("style", list(PlaceholderStyle))
def test_a_list_is_one_parameter_where_the_style_has_arrays(
    style: PlaceholderStyle,
) -> None:
    """Values stand in the parameters, typed as the column is."""
    array = (SqlParameter(IdType.BIGINT, ("5", "6")),)
    single = (SqlParameter(IdType.BIGINT, "5"), SqlParameter(IdType.BIGINT, "6"))

    rendered = _render(GRANTED, style)

    assert (array if style.has_arrays else single) == rendered.parameters


@pytest.mark.parametrize(
    ("chosen", "expected"), [(EVERYTHING, "TRUE"), (NOTHING, "FALSE")]
)
def test_the_two_ends_are_words(chosen: ListFilter, expected: str) -> None:
    """A filter that looks at no row is never empty text, and needs no column."""
    rendered = render(chosen, SqlOptions({}, PlaceholderStyle.DOLLAR), {})

    assert SqlFilter(expected, ()) == rendered


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (ODD, "FALSE"),
        (In(Field.CLUSTER_ID, ("x", "05")), "FALSE"),
        (In(Field.CLUSTER_ID, ("x", "5")), '("s"."T"."Cluster" = ANY($1))'),
        (AllOf((ODD, GRANTED)), '(FALSE AND ("s"."T"."Cluster" = ANY($1)))'),
        (AnyOf((ODD, GRANTED)), '(FALSE OR ("s"."T"."Cluster" = ANY($1)))'),
    ],
)
def test_a_value_that_is_no_id_of_the_column_matches_no_row(
    chosen: ListFilter, expected: str
) -> None:
    """Text that names nothing selects nothing, and never fails in the database."""
    assert expected == _render(chosen).text


def test_only_values_that_are_ids_become_parameters() -> None:
    """Of a list, what names nothing is left out."""
    rendered = _render(In(Field.CLUSTER_ID, ("+5", "6", "x")))

    assert (SqlParameter(IdType.BIGINT, ("6",)),) == rendered.parameters


@pytest.mark.parametrize(
    "chosen",
    [
        Equals(Field.CREATED_BY, "1"),
        In(Field.ID, ("1",)),
        AllOf((OWNED, Equals(Field.CREATED_BY, "1"))),
    ],
)
def test_a_field_without_a_column_is_an_error(chosen: ListFilter) -> None:
    """No condition is left out, wherever it stands."""
    with pytest.raises(ColumnMissingError):
        _render(chosen)


@pytest.mark.parametrize(
    "column", ["a", "_", "A1", "a.b", "a.b.c", "select", "a" * 63, "_1.B_2.c3"]
)
def test_plain_names_are_columns(column: str) -> None:
    """One to three names joined by dots; reserved words too, as they are quoted."""
    assert is_column(column)


@pytest.mark.parametrize(
    "column",
    ["", "1a", "a.", "a..b", "a.b.c.d", "a" * 64, 'a"', "a b", "\u00e4", "a\n"],
)
def test_other_text_is_no_column(column: str) -> None:
    """What would have to be escaped is refused."""
    assert not is_column(column)
