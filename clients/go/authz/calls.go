package authz

import (
	"context"

	authzv1 "authz.example/clients/go/authzv1"
)

// ResolveContext says as which tenant the caller acts; ends with an error where as none.
func (c *Client) ResolveContext(
	ctx context.Context, caller Caller, options ...QuestionOption,
) (*ResolvedContext, error) {
	chosen := choose(c, options)
	consistency, err := chosen.consistency()
	if err != nil {
		return nil, err
	}
	request := &authzv1.ResolveContextRequest{Caller: caller.message(), Consistency: consistency}
	method := authzv1.AuthorizationService_ResolveContext_FullMethodName
	return ask(ctx, c, method, chosen, request, readContext)
}

// ListContexts lists the tenants as which the caller may act.
func (c *Client) ListContexts(
	ctx context.Context, caller Caller, options ...QuestionOption,
) (*AvailableContexts, error) {
	chosen := choose(c, options)
	consistency, err := chosen.consistency()
	if err != nil {
		return nil, err
	}
	request := &authzv1.ListContextsRequest{Caller: caller.message(), Consistency: consistency}
	method := authzv1.AuthorizationService_ListContexts_FullMethodName
	return ask(ctx, c, method, chosen, request, readContexts)
}

// CheckVisible says whether the caller may see each resource; 1 to 1,000 in one call.
func (c *Client) CheckVisible(
	ctx context.Context, caller Caller, resources []Resource, options ...DecisionOption,
) (*Decisions, error) {
	chosen := choose(c, options)
	consistency, err := chosen.consistency()
	if err != nil {
		return nil, err
	}
	request := &authzv1.CheckVisibleRequest{
		Caller:      caller.message(),
		Resources:   messages(resources, Resource.message),
		Consistency: consistency,
		Explain:     chosen.explain,
	}
	method := authzv1.AuthorizationService_CheckVisible_FullMethodName
	read := readDecisions[*authzv1.CheckVisibleResponse](len(resources))
	return ask(ctx, c, method, chosen, request, read)
}

// CheckWritable says whether the caller may change each resource; 1 to 1,000 in one call.
func (c *Client) CheckWritable(
	ctx context.Context, caller Caller, resources []Resource, options ...WritableOption,
) (*Decisions, error) {
	chosen := choose(c, options)
	consistency, err := chosen.consistency()
	if err != nil {
		return nil, err
	}
	request := &authzv1.CheckWritableRequest{
		Caller:      caller.message(),
		Resources:   messages(resources, Resource.message),
		SkipVisible: chosen.skipVisible,
		Consistency: consistency,
		Explain:     chosen.explain,
	}
	method := authzv1.AuthorizationService_CheckWritable_FullMethodName
	read := readDecisions[*authzv1.CheckWritableResponse](len(resources))
	return ask(ctx, c, method, chosen, request, read)
}

// CheckCreatable says whether the caller may create each resource; 1 to 1,000 in one
// call.
func (c *Client) CheckCreatable(
	ctx context.Context, caller Caller, resources []NewResource, options ...DecisionOption,
) (*Decisions, error) {
	chosen := choose(c, options)
	consistency, err := chosen.consistency()
	if err != nil {
		return nil, err
	}
	request := &authzv1.CheckCreatableRequest{
		Caller:      caller.message(),
		Resources:   messages(resources, NewResource.message),
		Consistency: consistency,
		Explain:     chosen.explain,
	}
	method := authzv1.AuthorizationService_CheckCreatable_FullMethodName
	read := readDecisions[*authzv1.CheckCreatableResponse](len(resources))
	return ask(ctx, c, method, chosen, request, read)
}

// CheckRole says whether the caller passes a gate.
func (c *Client) CheckRole(
	ctx context.Context, caller Caller, gate RoleGate, options ...DecisionOption,
) (*CheckedRole, error) {
	chosen := choose(c, options)
	consistency, err := chosen.consistency()
	if err != nil {
		return nil, err
	}
	sent, err := gateMessage(gate)
	if err != nil {
		return nil, err
	}
	request := &authzv1.CheckRoleRequest{
		Caller:      caller.message(),
		Gate:        sent,
		Consistency: consistency,
		Explain:     chosen.explain,
	}
	method := authzv1.AuthorizationService_CheckRole_FullMethodName
	return ask(ctx, c, method, chosen, request, readRole)
}

// GetPermissions says what the caller's roles allow for each query; 1 to 1,000 in one
// call.
func (c *Client) GetPermissions(
	ctx context.Context, caller Caller, queries []PermissionQuery, options ...DecisionOption,
) (*PermissionsList, error) {
	chosen := choose(c, options)
	consistency, err := chosen.consistency()
	if err != nil {
		return nil, err
	}
	sent, err := readEach(queries, PermissionQuery.message)
	if err != nil {
		return nil, err
	}
	request := &authzv1.GetPermissionsRequest{
		Caller:      caller.message(),
		Queries:     sent,
		Consistency: consistency,
		Explain:     chosen.explain,
	}
	method := authzv1.AuthorizationService_GetPermissions_FullMethodName
	return ask(ctx, c, method, chosen, request, readPermissionsList(len(queries)))
}

// Authorize says whether all requirements hold; 1 to 32.
func (c *Client) Authorize(
	ctx context.Context, caller Caller, requirements []Requirement, options ...DecisionOption,
) (*Authorization, error) {
	chosen := choose(c, options)
	consistency, err := chosen.consistency()
	if err != nil {
		return nil, err
	}
	sent, err := readEach(requirements, requirementMessage)
	if err != nil {
		return nil, err
	}
	request := &authzv1.AuthorizeRequest{
		Caller:       caller.message(),
		Requirements: sent,
		Consistency:  consistency,
		Explain:      chosen.explain,
	}
	method := authzv1.AuthorizationService_Authorize_FullMethodName
	return ask(ctx, c, method, chosen, request, readAuthorization(len(requirements)))
}

// GetListFilter says which rows of a kind the caller may list, as a tree and when asked
// as SQL.
func (c *Client) GetListFilter(
	ctx context.Context, caller Caller, kind string, options ...FilterOption,
) (*ListFilter, error) {
	chosen := choose(c, options)
	consistency, err := chosen.consistency()
	if err != nil {
		return nil, err
	}
	request := &authzv1.GetListFilterRequest{
		Caller: caller.message(), Kind: kind, Consistency: consistency,
	}
	if chosen.permission != nil {
		if request.Permission, err = chosen.permission.message(); err != nil {
			return nil, err
		}
	}
	if chosen.sql != nil {
		if request.Sql, err = chosen.sql.message(); err != nil {
			return nil, err
		}
	}
	method := authzv1.AuthorizationService_GetListFilter_FullMethodName
	return ask(ctx, c, method, chosen, request, readListFilter(chosen.sql != nil))
}

// ValidateAccessRules says what is wrong with rules before they are stored; 1 to 1,000
// in one call.
func (c *Client) ValidateAccessRules(
	ctx context.Context, rules []AccessRule, options ...CallOption,
) (*RuleProblems, error) {
	sent, err := readEach(rules, AccessRule.message)
	if err != nil {
		return nil, err
	}
	request := &authzv1.ValidateAccessRulesRequest{Rules: sent}
	method := authzv1.AuthorizationService_ValidateAccessRules_FullMethodName
	return ask(ctx, c, method, choose(c, options), request, readProblems(len(rules)))
}

// ServerInfo says what the server is, and what it serves on this listener.
func (c *Client) ServerInfo(ctx context.Context, options ...CallOption) (*ServerInfo, error) {
	method := authzv1.AuthorizationService_GetServerInfo_FullMethodName
	request := &authzv1.GetServerInfoRequest{}
	return ask(ctx, c, method, choose(c, options), request, readServerInfo)
}

func messages[Q, M any](questions []Q, message func(Q) M) []M {
	made := make([]M, len(questions))
	for number, each := range questions {
		made[number] = message(each)
	}
	return made
}

func requirementMessage(each Requirement) (*authzv1.Requirement, error) {
	if each == nil {
		return nil, invalidRequest("requirements", "there is no requirement")
	}
	return each.requirement()
}
