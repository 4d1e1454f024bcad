//! From messages to list filters. A condition that is left out would list too much.

use crate::answers::{Condition, ListFilter, Selection, SqlFilter, SqlValue};
use crate::errors::Error;
use crate::v1;
use crate::v1::filter_condition::Condition as Wire;
use crate::v1::sql_parameter::Value;
use crate::words::Field;

const LEAST_BRANCHES: usize = 2;

/// The answer of `GetListFilter`.
pub(crate) fn list_filter(
    message: v1::GetListFilterResponse,
    with_sql: bool,
) -> Result<ListFilter, Error> {
    if message.sql.is_some() != with_sql {
        let told = "the answer has SQL that was not asked for, or lacks it";
        return Err(Error::protocol(told));
    }
    Ok(ListFilter {
        selection: selection(message.filter)?,
        sql: message.sql.map(sql).transpose()?,
        revision: message.revision,
    })
}

fn selection(filter: Option<v1::ListFilter>) -> Result<Selection, Error> {
    use v1::list_filter::Selection as Chosen;
    match filter.and_then(|filter| filter.selection) {
        Some(Chosen::Everything(true)) => Ok(Selection::Everything),
        Some(Chosen::Nothing(true)) => Ok(Selection::Nothing),
        Some(Chosen::Condition(each)) => Ok(Selection::Condition(condition(each)?)),
        _ => Err(Error::protocol("the answer lacks a selection")),
    }
}

fn condition(message: v1::FilterCondition) -> Result<Condition, Error> {
    match message.condition {
        Some(Wire::AllOf(all)) => Ok(Condition::AllOf(conditions(all)?)),
        Some(Wire::AnyOf(any)) => Ok(Condition::AnyOf(conditions(any)?)),
        Some(Wire::Equals(equals)) => {
            Ok(Condition::Equals(Field::read(equals.field)?, equals.value))
        }
        Some(Wire::In(among)) if among.values.is_empty() => {
            Err(Error::protocol("the answer compares with no value"))
        }
        Some(Wire::In(among)) => Ok(Condition::In(Field::read(among.field)?, among.values)),
        None => {
            let told = "the answer has a condition that is not known here";
            Err(Error::protocol(told))
        }
    }
}

fn conditions(message: v1::FilterConditions) -> Result<Vec<Condition>, Error> {
    if message.conditions.len() < LEAST_BRANCHES {
        let told = "the answer joins fewer than two conditions";
        return Err(Error::protocol(told));
    }
    message.conditions.into_iter().map(condition).collect()
}

fn sql(message: v1::SqlFilter) -> Result<SqlFilter, Error> {
    if message.text.is_empty() {
        return Err(Error::protocol("the answer has an empty SQL condition"));
    }
    let parameters = message.parameters.into_iter().map(value);
    Ok(SqlFilter {
        text: message.text,
        parameters: parameters.collect::<Result<_, _>>()?,
    })
}

fn value(message: v1::SqlParameter) -> Result<SqlValue, Error> {
    match message.value {
        Some(Value::Int64(number)) => Ok(SqlValue::Int64(number)),
        Some(Value::Text(text)) => Ok(SqlValue::Text(text)),
        Some(Value::Uuid(uuid)) => Ok(SqlValue::Uuid(uuid)),
        Some(Value::Int64Array(array)) => Ok(SqlValue::Int64Array(array.values)),
        Some(Value::TextArray(array)) => Ok(SqlValue::TextArray(array.values)),
        Some(Value::UuidArray(array)) => Ok(SqlValue::UuidArray(array.values)),
        None => {
            let told = "the answer has a SQL parameter without a value";
            Err(Error::protocol(told))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(selection: v1::list_filter::Selection) -> Result<ListFilter, Error> {
        let filter = v1::ListFilter {
            selection: Some(selection),
        };
        let message = v1::GetListFilterResponse {
            filter: Some(filter),
            ..Default::default()
        };
        list_filter(message, false)
    }

    fn of_condition(condition: Wire) -> Result<ListFilter, Error> {
        of(v1::list_filter::Selection::Condition(v1::FilterCondition {
            condition: Some(condition),
        }))
    }

    fn equals(field: v1::FilterField) -> v1::FilterCondition {
        v1::FilterCondition {
            condition: Some(Wire::Equals(v1::FieldEquals {
                field: field.into(),
                value: "1".to_owned(),
            })),
        }
    }

    fn is_protocol<T>(result: &Result<T, Error>) -> bool {
        matches!(result, Err(Error::Protocol(_)))
    }

    #[test]
    fn a_filter_that_lacks_a_part_is_none() {
        use v1::list_filter::Selection as Chosen;
        let empty = v1::GetListFilterResponse::default();

        assert!(is_protocol(&list_filter(empty.clone(), false)));
        assert!(is_protocol(&list_filter(empty, true)));
        assert!(is_protocol(&of(Chosen::Everything(false))));
        assert!(is_protocol(&of(Chosen::Nothing(false))));
        assert!(is_protocol(&of(Chosen::Condition(
            v1::FilterCondition::default()
        ))));
    }

    #[test]
    fn a_condition_that_is_not_known_spoils_the_whole() {
        let id = equals(v1::FilterField::Id);
        for second in [
            v1::FilterCondition::default(),
            equals(v1::FilterField::Unspecified),
        ] {
            let both = v1::FilterConditions {
                conditions: vec![id.clone(), second],
            };

            assert!(is_protocol(&of_condition(Wire::AllOf(both.clone()))));
            assert!(is_protocol(&of_condition(Wire::AnyOf(both))));
        }
    }

    #[test]
    fn fewer_branches_than_two_and_no_values_are_refused() {
        let one = v1::FilterConditions {
            conditions: vec![equals(v1::FilterField::Id)],
        };
        let no_value = v1::FieldIn {
            field: v1::FilterField::Id.into(),
            values: Vec::new(),
        };

        assert!(is_protocol(&of_condition(Wire::AllOf(one.clone()))));
        assert!(is_protocol(&of_condition(Wire::AnyOf(one))));
        assert!(is_protocol(&of_condition(Wire::In(no_value))));
    }

    #[test]
    fn everything_is_everything() {
        let answer = of(v1::list_filter::Selection::Everything(true));

        assert_eq!(
            Ok(Selection::Everything),
            answer.map(|filter| filter.selection)
        );
    }
}
