package authzgrpc_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"testing"

	"authz.example/clients/go/authz"
	"authz.example/clients/go/authzgrpc"
	authzv1 "authz.example/clients/go/authzv1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// sidecar allows user 2 everything, and denies all others.
type sidecar struct {
	authzv1.UnimplementedAuthorizationServiceServer
}

func (sidecar) Authorize(
	_ context.Context, request *authzv1.AuthorizeRequest,
) (*authzv1.AuthorizeResponse, error) {
	if len(request.GetRequirements()) == 0 {
		return nil, malformed()
	}
	decision := &authzv1.Decision{
		Denial: authzv1.Denial_DENIAL_FORBIDDEN, Reason: authzv1.Reason_REASON_NOT_A_MEMBER,
	}
	if request.GetCaller().GetUserId() == "2" {
		decision = &authzv1.Decision{Allowed: true, Reason: authzv1.Reason_REASON_ORG_ROLE}
	}
	decisions := make([]*authzv1.Decision, len(request.GetRequirements()))
	for number := range decisions {
		decisions[number] = decision
	}
	return &authzv1.AuthorizeResponse{
		Decision: decision, Decisions: decisions, DecisionId: "d",
		Context: &authzv1.TenantContext{UserId: "2"},
	}, nil
}

func malformed() error {
	info := &errdetails.ErrorInfo{Reason: "MALFORMED_FIELD", Domain: "authz.v1"}
	made, err := status.New(codes.InvalidArgument, "no").WithDetails(info)
	if err != nil {
		return err
	}
	return made.Err()
}

func (sidecar) ResolveContext(
	_ context.Context, request *authzv1.ResolveContextRequest,
) (*authzv1.ResolveContextResponse, error) {
	return &authzv1.ResolveContextResponse{
		Context: &authzv1.TenantContext{UserId: request.GetCaller().GetUserId()},
	}, nil
}

func client(t *testing.T) *authz.Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	authzv1.RegisterAuthorizationServiceServer(server, sidecar{})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	made, err := authz.Connect("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	return made
}

func guard(t *testing.T, rule authzgrpc.Rule) *authzgrpc.Interceptor {
	t.Helper()
	return authzgrpc.New(
		client(t), authzgrpc.Rules{"/s/m": rule},
		authzgrpc.WithCallerOf(authzgrpc.Trusting("X-User")),
		authzgrpc.WithLogger(slog.New(slog.DiscardHandler)),
	)
}

func as(t *testing.T, user string) context.Context {
	return metadata.NewIncomingContext(t.Context(), metadata.Pairs("x-user", user))
}

var admin = authz.InRole{Gate: authz.AnyOrgRole{authz.OrgRoleAdmin}}

func TestUnary(t *testing.T) {
	ofText := func(request *string) []authz.Requirement {
		return []authz.Requirement{authz.Visible{Kind: "model", ID: *request}}
	}
	failing := errors.New("its own")
	for _, each := range []struct {
		says   string
		user   string
		rule   authzgrpc.Rule
		fails  error
		ran    bool
		wanted codes.Code
	}{
		{"what is required holds", "2", authzgrpc.Requires(admin), nil, true, codes.OK},
		{"what is required does not", "3", authzgrpc.Requires(admin), nil, false, codes.PermissionDenied},
		{"the request's requirement holds", "2", authzgrpc.ForRequest(ofText), nil, true, codes.OK},
		{"the request's does not", "3", authzgrpc.ForRequest(ofText), nil, false, codes.PermissionDenied},
		{"nobody", "", authzgrpc.Tenant(), nil, false, codes.Unauthenticated},
		{"anybody", "", authzgrpc.Open(), nil, true, codes.OK},
		{"no rule", "2", authzgrpc.Rule{}, nil, false, codes.PermissionDenied},
		{"nothing is required", "2", authzgrpc.Requires(), nil, false, codes.Unavailable},
		{"the rule of another request", "2", authzgrpc.ForRequest(func(int) []authz.Requirement {
			return []authz.Requirement{admin}
		}), nil, false, codes.Unavailable},
		{"the handler denies", "2", authzgrpc.Tenant(), authz.Decision{}.Require(), true, codes.PermissionDenied},
		{"the handler does not know", "2", authzgrpc.Tenant(), &authz.Error{Kind: authz.ErrDeadline}, true, codes.Unavailable},
		{"the sidecar refuses this server", "2", authzgrpc.Tenant(), &authz.Error{
			Kind: authz.ErrPermissionDenied, Code: codes.PermissionDenied, Reason: "PEER_NOT_ALLOWED",
		}, true, codes.Unavailable},
		{"the handler fails", "2", authzgrpc.Tenant(), failing, true, codes.Unknown},
	} {
		t.Run(each.says, func(t *testing.T) {
			ran := false
			handler := func(ctx context.Context, _ any) (any, error) {
				ran = true
				if _, isThere := authzgrpc.TenantOf(ctx); isThere != (each.user != "") {
					t.Error("it is another tenant")
				}
				return "done", each.fails
			}

			info := &grpc.UnaryServerInfo{FullMethod: "/s/m"}
			response, err := guard(t, each.rule).Unary(as(t, each.user), new("701"), info, handler)

			if ran != each.ran || status.Code(err) != each.wanted || (err == nil) != (response == "done") {
				t.Errorf("ran: %v, gave: %v, %v", ran, response, err)
			}
		})
	}
}

// stream has one request, and remembers what was sent.
type stream struct {
	grpc.ServerStream
	ctx  context.Context
	sent int
}

func (s *stream) Context() context.Context { return s.ctx }
func (s *stream) SendMsg(any) error        { s.sent++; return nil }
func (s *stream) RecvMsg(message any) error {
	into, isText := message.(*string)
	if !isText {
		return io.EOF
	}
	*into = "701"
	return nil
}

func TestStream(t *testing.T) {
	ofText := authzgrpc.ForRequest(func(request *string) []authz.Requirement {
		return []authz.Requirement{authz.Visible{Kind: "model", ID: *request}}
	})
	reads := func(_ any, stream grpc.ServerStream) error {
		// A careless handler, which ignores that it was refused.
		_ = stream.RecvMsg(new(string))
		_ = stream.RecvMsg(new(string))
		_ = stream.SendMsg("secret")
		return nil
	}
	speaks := func(_ any, stream grpc.ServerStream) error { return stream.SendMsg("secret") }
	idles := func(any, grpc.ServerStream) error { return nil }
	for _, each := range []struct {
		says    string
		user    string
		rule    authzgrpc.Rule
		handler grpc.StreamHandler
		several bool
		sent    int
		wanted  codes.Code
	}{
		{"the request's requirement holds", "2", ofText, reads, false, 1, codes.OK},
		{"the request's does not", "3", ofText, reads, false, 0, codes.PermissionDenied},
		{"the request is not read", "2", ofText, speaks, false, 0, codes.Unavailable},
		{"nothing is done", "2", ofText, idles, false, 0, codes.Unavailable},
		{"there are several requests", "2", ofText, reads, true, 0, codes.Unavailable},
		{"what is required holds", "2", authzgrpc.Requires(admin), speaks, true, 1, codes.OK},
		{"what is required does not", "3", authzgrpc.Requires(admin), speaks, true, 0, codes.PermissionDenied},
		{"no rule", "2", authzgrpc.Rule{}, speaks, false, 0, codes.PermissionDenied},
		{"anybody", "", authzgrpc.Open(), speaks, false, 1, codes.OK},
	} {
		t.Run(each.says, func(t *testing.T) {
			inner := &stream{ctx: as(t, each.user)}
			info := &grpc.StreamServerInfo{FullMethod: "/s/m", IsClientStream: each.several}

			err := guard(t, each.rule).Stream(nil, inner, info, each.handler)

			if inner.sent != each.sent || status.Code(err) != each.wanted {
				t.Errorf("sent: %d, %v", inner.sent, err)
			}
		})
	}
}

// claimsOK is an error with the status OK, which a server would end a call with.
type claimsOK struct{ error }

func (claimsOK) GRPCStatus() *status.Status { return status.New(codes.OK, "") }

func TestARefusalIsNeverOK(t *testing.T) {
	for _, each := range []struct {
		says   string
		err    error
		wanted codes.Code
	}{
		{"malformed", withoutCode(authz.ErrInvalidRequest), codes.InvalidArgument},
		{"of another history", withoutCode(authz.ErrUnknownRevision), codes.InvalidArgument},
		{"nobody", withoutCode(authz.ErrUnauthenticated), codes.Unauthenticated},
		{"forbidden", withoutCode(authz.ErrPermissionDenied), codes.PermissionDenied},
		{"not there", withoutCode(authz.ErrNotFound), codes.NotFound},
		{"not served", withoutCode(authz.ErrNotServed), codes.Unavailable},
		{"undecided", withoutCode(authz.ErrUndecided), codes.Unavailable},
		{"denied", authz.Decision{}.Require(), codes.PermissionDenied},
		{"an error that claims to be OK", claimsOK{errors.New("its own")}, codes.Unavailable},
	} {
		handler := func(context.Context, any) (any, error) { return "done", each.err }
		streamer := func(any, grpc.ServerStream) error { return each.err }
		nobody := func(metadata.MD) (authz.Caller, error) { return authz.Caller{}, each.err }
		somebody := authzgrpc.Trusting("X-User")
		for who, callerOf := range map[string]authzgrpc.CallerOf{
			"for want of a caller": nobody, "by the handler": somebody,
		} {
			t.Run(each.says+" "+who, func(t *testing.T) {
				guard := authzgrpc.New(
					client(t), authzgrpc.Rules{"/s/m": authzgrpc.Tenant()},
					authzgrpc.WithCallerOf(callerOf),
					authzgrpc.WithLogger(slog.New(slog.DiscardHandler)),
				)
				ctx := as(t, "2")

				response, unary := guard.Unary(ctx, nil, &grpc.UnaryServerInfo{FullMethod: "/s/m"}, handler)
				streamed := guard.Stream(
					nil, &stream{ctx: ctx}, &grpc.StreamServerInfo{FullMethod: "/s/m"}, streamer,
				)

				if response != nil || status.Code(unary) != each.wanted {
					t.Errorf("unary gave: %v, %v", response, unary)
				}
				if status.Code(streamed) != each.wanted {
					t.Errorf("the stream gave: %v", streamed)
				}
			})
		}
	}
}

func withoutCode(kind error) error { return &authz.Error{Kind: kind, Reason: "X"} }
