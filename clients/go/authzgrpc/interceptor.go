// Package authzgrpc asks authz-sidecar before a method of your own gRPC server runs.
//
//	guard := authzgrpc.New(client, authzgrpc.Rules{
//		"/demo.Clusters/WhoAmI": authzgrpc.Tenant(),
//		"/demo.Clusters/Ping":   authzgrpc.Open(),
//	})
//	server := grpc.NewServer(
//		grpc.ChainUnaryInterceptor(guard.Unary), grpc.ChainStreamInterceptor(guard.Stream),
//	)
//
// A method without a rule is refused. So is a call that a proxy let pass because nobody
// decided, which it says with the header x-envoy-auth-failure-mode-allowed.
package authzgrpc

import (
	"context"
	"log/slog"

	"authz.example/clients/go/authz"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// Interceptor judges calls. It does not close its client.
type Interceptor struct {
	client   *authz.Client
	rules    Rules
	callerOf CallerOf
	logger   *slog.Logger
}

// Option is a setting of an Interceptor.
type Option func(*Interceptor)

// WithCallerOf says who calls; ByCredential unless said otherwise.
func WithCallerOf(callerOf CallerOf) Option {
	return func(i *Interceptor) { i.callerOf = callerOf }
}

// WithLogger says where calls are logged that nobody could decide on.
func WithLogger(logger *slog.Logger) Option {
	return func(i *Interceptor) { i.logger = logger }
}

// New makes an interceptor of a server whose methods have these rules.
func New(client *authz.Client, rules Rules, options ...Option) *Interceptor {
	made := &Interceptor{client, rules, ByCredential, slog.Default()}
	for _, each := range options {
		each(made)
	}
	return made
}

// Unary judges a call with one request and one response. What the handler returns of
// package authz becomes a status too.
func (i *Interceptor) Unary(
	ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	rule, err := i.rule(ctx, info.FullMethod)
	if err == nil {
		ctx, err = i.judge(ctx, rule, request)
	}
	if err != nil {
		return nil, i.refuse(ctx, info.FullMethod, err)
	}
	response, err := handler(ctx, request)
	if err != nil {
		return nil, i.refuse(ctx, info.FullMethod, err)
	}
	return response, nil
}

// Stream judges a call with a stream: before its handler runs, or, if the rule is for the
// one request that it has, when that has arrived.
func (i *Interceptor) Stream(
	server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	ctx := stream.Context()
	judged, err := i.stream(stream, info)
	if err == nil {
		err = handler(server, judged)
	}
	if judged != nil && err == nil {
		err = judged.isJudged()
	} else if judged != nil && judged.refusal != nil {
		err = judged.refusal
	}
	if err != nil {
		return i.refuse(ctx, info.FullMethod, err)
	}
	return nil
}

func (i *Interceptor) stream(
	stream grpc.ServerStream, info *grpc.StreamServerInfo,
) (*judgedStream, error) {
	ctx := stream.Context()
	rule, err := i.rule(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	if rule.forRequest == nil {
		ctx, err = i.judge(ctx, rule, nil)
		return &judgedStream{ServerStream: stream, ctx: ctx}, err
	}
	if info.IsClientStream {
		return nil, mistake("the rule is for one request, and the method has a stream of them")
	}
	judge := func(request any) (context.Context, error) { return i.judge(ctx, rule, request) }
	return &judgedStream{ServerStream: stream, ctx: ctx, judge: judge}, nil
}

func (i *Interceptor) rule(ctx context.Context, method string) (Rule, error) {
	headers, _ := metadata.FromIncomingContext(ctx)
	if _, isThere := headers[undecided]; isThere {
		return Rule{}, &authz.Error{
			Kind: authz.ErrUnavailable, Code: codes.Unavailable,
			Message: "the request has the header " + undecided,
		}
	}
	rule, isThere := i.rules[method]
	if !isThere || rule.kind == kindNone {
		return Rule{}, &authz.Error{
			Kind: authz.ErrPermissionDenied, Code: codes.PermissionDenied,
			Reason: "NO_ROUTE", Message: "there is no rule for this method",
		}
	}
	return rule, nil
}

// judge gives the context with which a handler may run.
func (i *Interceptor) judge(ctx context.Context, rule Rule, request any) (context.Context, error) {
	if rule.kind == kindOpen {
		return ctx, nil
	}
	headers, _ := metadata.FromIncomingContext(ctx)
	caller, err := i.callerOf(headers)
	if err != nil {
		return ctx, err
	}
	if caller.IsZero() {
		return ctx, unauthenticated("CREDENTIAL_MISSING", "a credential is needed")
	}
	tenant, err := i.ask(ctx, caller, rule, request)
	if err != nil {
		return ctx, err
	}
	return context.WithValue(ctx, tenantKey{}, tenant), nil
}

func (i *Interceptor) ask(
	ctx context.Context, caller authz.Caller, rule Rule, request any,
) (*authz.TenantContext, error) {
	if rule.kind == kindTenant {
		resolved, err := i.client.ResolveContext(ctx, caller)
		if err != nil {
			return nil, err
		}
		return &resolved.Context, nil
	}
	requirements, err := rule.demands(request)
	if err != nil {
		return nil, err
	}
	answer, err := i.client.Authorize(ctx, caller, requirements)
	if err != nil {
		return nil, err
	}
	return answer.Context, answer.Require()
}

type tenantKey struct{}

// TenantOf is the tenant of the call whose handler runs. It has none when its method is
// open, or the interceptor is missing.
func TenantOf(ctx context.Context) (*authz.TenantContext, bool) {
	tenant, isThere := ctx.Value(tenantKey{}).(*authz.TenantContext)
	return tenant, isThere
}

// judgedStream is a stream that says nothing before it is judged, nor when it is refused.
type judgedStream struct {
	grpc.ServerStream
	ctx     context.Context
	judge   func(request any) (context.Context, error)
	refusal error
}

func (s *judgedStream) Context() context.Context { return s.ctx }

func (s *judgedStream) RecvMsg(message any) error {
	if err := s.ServerStream.RecvMsg(message); err != nil || s.judge == nil {
		return err
	}
	s.ctx, s.refusal = s.judge(message)
	s.judge = nil
	return s.refusal
}

func (s *judgedStream) SendMsg(message any) error {
	if err := s.isJudged(); err != nil {
		return err
	}
	return s.ServerStream.SendMsg(message)
}

func (s *judgedStream) isJudged() error {
	if s.refusal == nil && s.judge != nil {
		s.refusal = mistake("the handler answers a request that it has not read")
	}
	return s.refusal
}
