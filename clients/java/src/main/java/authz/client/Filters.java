package authz.client;

import authz.v1.AuthorizationServiceOuterClass.GetListFilterResponse;
import authz.v1.Filter;
import java.util.List;
import java.util.Optional;

/** From messages to list filters. A condition that is left out would list too much. */
final class Filters {
  private Filters() {}

  static ListFilter listFilter(GetListFilterResponse message, boolean withSql) {
    if (message.hasSql() != withSql) {
      throw new ProtocolException("the answer has SQL that was not asked for, or lacks it");
    }
    return new ListFilter(
        selection(message.getFilter()),
        withSql ? Optional.of(sql(message.getSql())) : Optional.empty(),
        Reading.optional(message.hasRevision(), message.getRevision()));
  }

  private static Selection selection(Filter.ListFilter message) {
    return switch (message.getSelectionCase()) {
      case EVERYTHING -> {
        Reading.wants(message.getEverything(), "everything");
        yield new Selection.Everything();
      }
      case NOTHING -> {
        Reading.wants(message.getNothing(), "nothing");
        yield new Selection.Nothing();
      }
      case CONDITION -> condition(message.getCondition());
      case SELECTION_NOT_SET -> throw new ProtocolException("the answer lacks a selection");
    };
  }

  private static Selection.Condition condition(Filter.FilterCondition message) {
    return switch (message.getConditionCase()) {
      case ALL_OF -> new Selection.AllOf(conditions(message.getAllOf()));
      case ANY_OF -> new Selection.AnyOf(conditions(message.getAnyOf()));
      case EQUALS ->
          new Selection.Equal(
              field(message.getEquals().getField()), message.getEquals().getValue());
      case IN -> {
        if (message.getIn().getValuesCount() == 0) {
          throw new ProtocolException("the answer compares with no value");
        }
        yield new Selection.In(field(message.getIn().getField()), message.getIn().getValuesList());
      }
      case CONDITION_NOT_SET ->
          throw new ProtocolException("the answer has a condition that is not known here");
    };
  }

  private static List<Selection.Condition> conditions(Filter.FilterConditions message) {
    if (message.getConditionsCount() < 2) {
      throw new ProtocolException("the answer joins fewer than two conditions");
    }
    return message.getConditionsList().stream().map(Filters::condition).toList();
  }

  private static Field field(Filter.FilterField field) {
    return Reading.word(Field.class, field, "FILTER_FIELD_");
  }

  private static SqlFilter sql(Filter.SqlFilter message) {
    if (message.getText().isEmpty()) {
      throw new ProtocolException("the answer has an empty SQL condition");
    }
    return new SqlFilter(
        message.getText(), message.getParametersList().stream().map(Filters::parameter).toList());
  }

  private static SqlFilter.Parameter parameter(Filter.SqlParameter message) {
    return switch (message.getValueCase()) {
      case INT64 -> new SqlFilter.Int64(message.getInt64());
      case TEXT -> new SqlFilter.Text(message.getText());
      case UUID -> new SqlFilter.Uuid(message.getUuid());
      case INT64_ARRAY -> new SqlFilter.Int64Array(message.getInt64Array().getValuesList());
      case TEXT_ARRAY -> new SqlFilter.TextArray(message.getTextArray().getValuesList());
      case UUID_ARRAY -> new SqlFilter.UuidArray(message.getUuidArray().getValuesList());
      case VALUE_NOT_SET ->
          throw new ProtocolException("the answer has a SQL parameter without a value");
    };
  }
}
