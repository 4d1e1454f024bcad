package main

import (
	"errors"
	"fmt"

	"authz.example/clients/go/authz"
	"google.golang.org/genproto/googleapis/rpc/code"
)

// row is a message in bare JSON.
type row map[string]any

// tell turns what a call returned into bare JSON.
func tell[A any](how func(*A) row) func(*A, error) (row, error) {
	return func(answer *A, err error) (row, error) {
		if answer == nil {
			return nil, err
		}
		return how(answer), err
	}
}

func tellError(err error) row {
	var told *authz.Error
	if !errors.As(err, &told) {
		return row{"code": fmt.Sprintf("none: %v", err)}
	}
	made := row{"code": code.Code(told.Code).String(), "reason": told.Reason}
	return with(made, "field", told.Field)
}

func tellResolved(answer *authz.ResolvedContext) row {
	return row{"context": tellTenant(answer.Context)}
}

func tellTenant(context authz.TenantContext) row {
	made := row{
		"user_id":                   context.UserID,
		"is_platform_admin":         context.IsPlatformAdmin,
		"is_system":                 context.IsSystem,
		"accessible_cluster_ids":    append([]string{}, context.AccessibleClusterIDs...),
		"current_is_personal_scope": context.CurrentIsPersonalScope,
		"bypass":                    context.Bypass,
		"has_org_context":           context.HasOrgContext,
	}
	with(made, "org_role", string(context.OrgRole))
	withOptional(made, "current_principal_id", context.CurrentPrincipalID)
	return withOptional(made, "write_principal_id", context.WritePrincipalID)
}

func tellContexts(answer *authz.AvailableContexts) row {
	return row{"contexts": each(answer.Contexts, func(one authz.AvailableContext) row {
		made := row{"kind": one.Kind, "name": one.Name}
		with(made, "org_role", string(one.OrgRole))
		return withOptional(made, "principal_id", one.PrincipalID)
	})}
}

func tellDecisions(answer *authz.Decisions) row {
	return row{"decisions": each(answer.Each, tellDecision)}
}

func tellDecision(decision authz.Decision) row {
	made := row{"allowed": decision.Allowed(), "reason": decision.Reason}
	return with(made, "denial", string(decision.Denial()))
}

func tellRole(answer *authz.CheckedRole) row {
	return row{"decision": tellDecision(answer.Decision)}
}

func tellAuthorization(answer *authz.Authorization) row {
	made := row{
		"decision":  tellDecision(answer.Decision),
		"decisions": each(answer.Each, tellDecision),
	}
	if answer.Context != nil {
		made["context"] = tellTenant(*answer.Context)
	}
	return made
}

func tellPermissions(answer *authz.PermissionsList) row {
	return row{"permissions": each(answer.Each, func(one authz.Permissions) row {
		return row{
			"view":   one.View,
			"read":   one.Read.String(),
			"create": one.Create.String(),
			"update": one.Update.String(),
			"delete": one.Delete.String(),
		}
	})}
}

func tellProblems(answer *authz.RuleProblems) row {
	return row{"problems": each(answer.Problems, func(one authz.RuleProblem) row {
		return row{"rule_index": one.RuleIndex, "field": one.Field, "reason": one.Reason}
	})}
}

func tellListFilter(answer *authz.ListFilter) row {
	made := row{"filter": tellSelection(answer.Selection)}
	if answer.SQL != nil {
		parameters := each(answer.SQL.Parameters, tellParameter)
		made["sql"] = row{"text": answer.SQL.Text, "parameters": parameters}
	}
	return made
}

func tellSelection(selection authz.Selection) row {
	switch chosen := selection.(type) {
	case authz.Everything:
		return row{"everything": true}
	case authz.Nothing:
		return row{"nothing": true}
	case authz.Condition:
		return row{"condition": tellCondition(chosen)}
	default:
		panic(fmt.Sprintf("%T is no selection", selection))
	}
}

func tellCondition(condition authz.Condition) row {
	switch chosen := condition.(type) {
	case authz.AllOf:
		return row{"all_of": row{"conditions": each(chosen, tellCondition)}}
	case authz.AnyOf:
		return row{"any_of": row{"conditions": each(chosen, tellCondition)}}
	case authz.Equals:
		return row{"equals": row{"field": chosen.Field, "value": chosen.Value}}
	case authz.In:
		return row{"in": row{"field": chosen.Field, "values": chosen.Values}}
	default:
		panic(fmt.Sprintf("%T is no condition", condition))
	}
}

func tellParameter(parameter any) row {
	switch value := parameter.(type) {
	case int64:
		return row{"int64": value}
	case string:
		return row{"text": value}
	case authz.UUID:
		return row{"uuid": value}
	case []int64:
		return row{"int64_array": row{"values": value}}
	case []string:
		return row{"text_array": row{"values": value}}
	case []authz.UUID:
		return row{"uuid_array": row{"values": value}}
	default:
		panic(fmt.Sprintf("%T is no parameter", parameter))
	}
}

func with(made row, name, value string) row {
	if value != "" {
		made[name] = value
	}
	return made
}

func withOptional(made row, name string, value *string) row {
	if value != nil {
		made[name] = *value
	}
	return made
}
