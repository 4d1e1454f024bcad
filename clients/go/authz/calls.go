package authz

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	authzv1 "authz.example/clients/go/authzv1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
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

// Watch tells what changes, as one stream without a deadline but the context's. The range
// ends with an error, or without one when the server ends the stream in good order; then
// begin another one. A nil revision means from now on.
func (c *Client) Watch(ctx context.Context, afterRevision *string) iter.Seq2[WatchEvent, error] {
	return func(yield func(WatchEvent, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := c.open(ctx, &authzv1.WatchRequest{AfterRevision: afterRevision})
		for err == nil {
			var event WatchEvent
			if event, err = receive(ctx, stream); err == nil && !yield(event, nil) {
				return
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(nil, err)
		}
	}
}

func (c *Client) open(ctx context.Context, request proto.Message) (grpc.ClientStream, error) {
	data, err := encoded(request)
	if err != nil {
		return nil, err
	}
	method := authzv1.AuthorizationService_Watch_FullMethodName
	description := &authzv1.AuthorizationService_ServiceDesc.Streams[0]
	stream, err := c.connection.NewStream(ctx, description, method, asBytes)
	if err != nil {
		return nil, ended(ctx, err)
	}
	// What ends the stream is told by receiving: io.EOF here says only that it ended.
	if err := stream.SendMsg(&data); err != nil && !errors.Is(err, io.EOF) {
		return nil, ended(ctx, err)
	}
	if err := stream.CloseSend(); err != nil {
		return nil, ended(ctx, err)
	}
	return stream, nil
}

func receive(ctx context.Context, stream grpc.ClientStream) (WatchEvent, error) {
	var data []byte
	if err := stream.RecvMsg(&data); errors.Is(err, io.EOF) {
		return nil, io.EOF
	} else if err != nil {
		return nil, ended(ctx, err)
	}
	message := &authzv1.WatchResponse{}
	if err := decoded(data, message); err != nil {
		return nil, err
	}
	return readWatchEvent(message)
}

// answer is a pointer to a message of the API.
type answer[M any] interface {
	*M
	proto.Message
}

// ask sends a question until it is answered, or there is no more time or budget.
func ask[M, A any, P answer[M]](
	ctx context.Context,
	client *Client,
	method string,
	chosen *asked,
	request proto.Message,
	read func(P) (*A, error),
) (*A, error) {
	data, err := encoded(request)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, chosen.timeout)
	defer cancel()
	deadline, _ := ctx.Deadline()
	attempts := attempts{budget: client.budget, deadline: deadline}
	for {
		message := P(new(M))
		err := client.send(ctx, method, data, message)
		if err == nil {
			made, err := read(message)
			if err != nil {
				return nil, err
			}
			client.budget.earn()
			return made, nil
		}
		wait, again := attempts.waitAfter(err, time.Now())
		if !again {
			return nil, err
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func (c *Client) send(ctx context.Context, method string, data []byte, into proto.Message) error {
	var received []byte
	if err := c.connection.Invoke(ctx, method, &data, &received, asBytes); err != nil {
		return ended(ctx, err)
	}
	return decoded(received, into)
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx, status.FromContextError(ctx.Err()).Err())
	}
}

// ended is the error for a status, with the context's when that ended the call.
func ended(ctx context.Context, err error) *Error {
	made := told(err)
	switch {
	case made.Code == codes.Canceled && ctx.Err() != nil:
		made.Kind, made.cause = ErrCanceled, context.Cause(ctx)
	case made.Code == codes.DeadlineExceeded:
		made.cause = ctx.Err()
	}
	return made
}

// encoded are the bytes of a question. They are made and read here and not by the
// library, which would call an answer that it cannot read a failure of the server.
func encoded(request proto.Message) ([]byte, error) {
	data, err := proto.Marshal(request)
	if err != nil {
		return nil, invalidRequest("", "the question has text that is not UTF-8")
	}
	return data, nil
}

func choose[O WritableOption](client *Client, options []O) *asked {
	chosen := &asked{timeout: client.timeout}
	for _, each := range options {
		each.apply(chosen)
	}
	return chosen
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
