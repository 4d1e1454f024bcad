"""From messages to list filters."""

from typing import Final

from authz.client import answers
from authz.client.errors import ProtocolError
from authz.client.questions import Field, field_message
from authz.client.reading import decoded, revision_of
from authz.v1 import authorization_service_pb2 as api
from authz.v1 import filter_pb2

_FIELDS: Final = {field_message(each): each for each in Field}
_LEAST_BRANCHES: Final = 2


def list_filter(data: bytes, *, with_sql: bool) -> answers.ListFilter:
    """The answer of GetListFilter.

    Raises:
        ProtocolError: a part is missing or not known. A condition that is left out
            would list too much.
    """
    message = decoded(api.GetListFilterResponse, data)
    if message.HasField("sql") is not with_sql:
        raise ProtocolError("the answer has SQL that was not asked for, or lacks it")
    return answers.ListFilter(
        _selection(message.filter),
        _sql(message.sql) if with_sql else None,
        revision_of(message),
    )


def _selection(message: filter_pb2.ListFilter) -> answers.Selection:
    match message.WhichOneof("selection"):
        case "everything" if message.everything:
            return answers.Everything()
        case "nothing" if message.nothing:
            return answers.Nothing()
        case "condition":
            return _condition(message.condition)
        case _:
            raise ProtocolError("the answer lacks a selection")


def _condition(message: filter_pb2.FilterCondition) -> answers.Condition:
    match message.WhichOneof("condition"):
        case "all_of":
            return answers.AllOf(_conditions(message.all_of))
        case "any_of":
            return answers.AnyOf(_conditions(message.any_of))
        case "equals":
            equals = message.equals
            return answers.Equals(_field(equals.field), equals.value)
        case "in":
            # The field's name is a word of Python.
            among: filter_pb2.FieldIn = getattr(message, "in")
            if not among.values:
                raise ProtocolError("the answer compares with no value")
            return answers.In(_field(among.field), tuple(among.values))
        case _:
            raise ProtocolError("the answer has a condition that is not known here")


def _conditions(
    message: filter_pb2.FilterConditions,
) -> tuple[answers.Condition, ...]:
    if len(message.conditions) < _LEAST_BRANCHES:
        raise ProtocolError("the answer joins fewer than two conditions")
    return tuple(_condition(each) for each in message.conditions)


def _field(number: filter_pb2.FilterField.ValueType) -> Field:
    if number not in _FIELDS:
        raise ProtocolError("the answer has a field that is not known here")
    return _FIELDS[number]


def _sql(message: filter_pb2.SqlFilter) -> answers.SqlFilter:
    if not message.text:
        raise ProtocolError("the answer has an empty SQL condition")
    values = tuple(_value(each) for each in message.parameters)
    return answers.SqlFilter(message.text, values)


def _value(message: filter_pb2.SqlParameter) -> answers.SqlValue:
    match message.WhichOneof("value"):
        case "int64":
            return message.int64
        case "text" | "uuid" as name:
            return str(getattr(message, name))
        case "int64_array":
            return list(message.int64_array.values)
        case "text_array" | "uuid_array" as name:
            texts: filter_pb2.TextValues = getattr(message, name)
            return list(texts.values)
        case _:
            raise ProtocolError("the answer has a SQL parameter without a value")
