package authz

import authzv1 "authz.example/clients/go/authzv1"

// readListFilter refuses a filter with a part that is missing or not known: a condition
// that is left out would list too much.
func readListFilter(withSQL bool) func(*authzv1.GetListFilterResponse) (*ListFilter, error) {
	return func(message *authzv1.GetListFilterResponse) (*ListFilter, error) {
		if (message.Sql != nil) != withSQL {
			return nil, protocolError("the answer has SQL that was not asked for, or lacks it")
		}
		selection, err := readSelection(message.GetFilter())
		if err != nil {
			return nil, err
		}
		made := &ListFilter{Selection: selection, Revision: message.GetRevision()}
		if withSQL {
			if made.SQL, err = readSQL(message.GetSql()); err != nil {
				return nil, err
			}
		}
		return made, nil
	}
}

func readSelection(message *authzv1.ListFilter) (Selection, error) {
	switch chosen := message.GetSelection().(type) {
	case *authzv1.ListFilter_Everything:
		if chosen.Everything {
			return Everything{}, nil
		}
	case *authzv1.ListFilter_Nothing:
		if chosen.Nothing {
			return Nothing{}, nil
		}
	case *authzv1.ListFilter_Condition:
		return readCondition(chosen.Condition)
	}
	return nil, protocolError("the answer lacks a selection")
}

func readCondition(message *authzv1.FilterCondition) (Condition, error) {
	switch chosen := message.GetCondition().(type) {
	case *authzv1.FilterCondition_AllOf:
		conditions, err := readConditions(chosen.AllOf)
		return AllOf(conditions), err
	case *authzv1.FilterCondition_AnyOf:
		conditions, err := readConditions(chosen.AnyOf)
		return AnyOf(conditions), err
	case *authzv1.FilterCondition_Equals:
		field, err := bare(chosen.Equals.GetField(), "FILTER_FIELD_")
		return Equals{Field(field), chosen.Equals.GetValue()}, err
	case *authzv1.FilterCondition_In:
		if len(chosen.In.GetValues()) == 0 {
			return nil, protocolError("the answer compares with no value")
		}
		field, err := bare(chosen.In.GetField(), "FILTER_FIELD_")
		return In{Field(field), chosen.In.GetValues()}, err
	default:
		return nil, protocolError("the answer has a condition that is not known here")
	}
}

func readConditions(message *authzv1.FilterConditions) ([]Condition, error) {
	if len(message.GetConditions()) < 2 {
		return nil, protocolError("the answer joins fewer than two conditions")
	}
	return readEach(message.GetConditions(), readCondition)
}

func readSQL(message *authzv1.SqlFilter) (*SQLFilter, error) {
	if message.GetText() == "" {
		return nil, protocolError("the answer has an empty SQL condition")
	}
	parameters, err := readEach(message.GetParameters(), readParameter)
	if err != nil {
		return nil, err
	}
	return &SQLFilter{message.GetText(), parameters}, nil
}

func readParameter(message *authzv1.SqlParameter) (any, error) {
	switch value := message.GetValue().(type) {
	case *authzv1.SqlParameter_Int64:
		return value.Int64, nil
	case *authzv1.SqlParameter_Text:
		return value.Text, nil
	case *authzv1.SqlParameter_Uuid:
		return UUID(value.Uuid), nil
	case *authzv1.SqlParameter_Int64Array:
		return value.Int64Array.GetValues(), nil
	case *authzv1.SqlParameter_TextArray:
		return value.TextArray.GetValues(), nil
	case *authzv1.SqlParameter_UuidArray:
		return uuids(value.UuidArray.GetValues()), nil
	default:
		return nil, protocolError("the answer has a SQL parameter without a value")
	}
}

func uuids(texts []string) []UUID {
	made := make([]UUID, len(texts))
	for number, each := range texts {
		made[number] = UUID(each)
	}
	return made
}
