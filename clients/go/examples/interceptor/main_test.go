package main

import (
	"context"
	"net"
	"testing"
	"time"

	"authz.example/clients/go/authz"
	"authz.example/clients/go/internal/serving"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	secret = "_0123456789abcdef0123456789abcdef"
	ann    = "key_annfree" + secret // an admin of organization 20
	wrong  = "key_annfree_fedcba9876543210fedcba9876543210"
)

func TestInterceptor(t *testing.T) {
	live := serving.Start(t, "tenancy", "native")
	client, err := authz.Connect(live.Unix, authz.WithTimeout(10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	call := dial(t, newServer(client))

	for _, each := range []struct {
		says    string
		method  string
		request string
		headers []string
		code    codes.Code
		reason  string
		answer  string
	}{
		{"anybody may call what is open", "Ping", "hello", nil, codes.OK, "", "hello"},
		{"nobody may call what has no rule", "Drop", "1", []string{"x-api-key", ann}, codes.PermissionDenied, "NO_ROUTE", ""},
		{"a key is somebody", "WhoAmI", "", []string{"x-api-key", ann}, codes.OK, "", "102"},
		{"a key may come as a bearer token", "WhoAmI", "", []string{"authorization", "bearer  " + ann}, codes.OK, "", "102"},
		{"the organization is wished for", "WhoAmI", "", []string{"x-api-key", ann, "x-organization-id", "20"}, codes.OK, "", "20"},
		{"not everybody is a member", "WhoAmI", "", []string{"x-api-key", ann, "x-organization-id", "21"}, codes.PermissionDenied, "NOT_A_MEMBER", ""},
		{"nobody has no tenant", "WhoAmI", "", nil, codes.Unauthenticated, "CREDENTIAL_MISSING", ""},
		{"a name is no proof", "WhoAmI", "", []string{"x-authz-user-id", "2"}, codes.Unauthenticated, "CREDENTIAL_MISSING", ""},
		{"a wrong key is nobody", "WhoAmI", "", []string{"x-api-key", wrong}, codes.Unauthenticated, "INVALID_CREDENTIAL", ""},
		{"a password is none", "WhoAmI", "", []string{"authorization", "Basic YTpi"}, codes.Unauthenticated, "INVALID_CREDENTIAL", ""},
		{"two credentials are one too many", "WhoAmI", "", []string{"x-api-key", ann, "authorization", "Bearer " + ann}, codes.InvalidArgument, "TWO_CREDENTIALS", ""},
		{"two keys are one too many", "WhoAmI", "", []string{"x-api-key", ann, "x-api-key", ann}, codes.InvalidArgument, "REPEATED_HEADER", ""},
		{"two organizations are one too many", "WhoAmI", "", []string{"x-api-key", ann, "x-organization-id", "20,21"}, codes.InvalidArgument, "REPEATED_HEADER", ""},
		{"an admin restarts their cluster", "Restart", "501", []string{"x-api-key", ann, "x-organization-id", "20"}, codes.OK, "", "501 by 2"},
		{"but no other", "Restart", "999", []string{"x-api-key", ann, "x-organization-id", "20"}, codes.NotFound, "RESOURCE_NOT_FOUND", ""},
		{"and not in personal scope", "Restart", "501", []string{"x-api-key", ann}, codes.NotFound, "RESOURCE_NOT_FOUND", ""},
		{"what nobody decided is refused", "WhoAmI", "", []string{"x-api-key", ann, "x-envoy-auth-failure-mode-allowed", "true"}, codes.Unavailable, "", ""},
		{"where anybody may call, too", "Ping", "", []string{"x-envoy-auth-failure-mode-allowed", "false"}, codes.Unavailable, "", ""},
	} {
		t.Run(each.says, func(t *testing.T) {
			answer, err := call(each.method, each.request, each.headers...)

			if status.Code(err) != each.code || reason(err) != each.reason || answer != each.answer {
				t.Errorf("it is %q, %v, %s", answer, err, reason(err))
			}
		})
	}

	t.Run("without a sidecar nobody is let in", func(t *testing.T) {
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
		answer, err := call("WhoAmI", "", "x-api-key", ann)

		if status.Code(err) != codes.Unavailable || answer != "" {
			t.Errorf("it is %q, %v", answer, err)
		}
	})
}

func dial(t *testing.T, server *grpc.Server) func(method, request string, headers ...string) (string, error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient(
		listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return func(method, request string, headers ...string) (string, error) {
		ctx := metadata.AppendToOutgoingContext(context.Background(), headers...)
		answer := &text{}
		err := connection.Invoke(ctx, "/demo.Clusters/"+method, &text{Value: request}, answer)
		return answer.GetValue(), err
	}
}

func reason(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, isInfo := detail.(*errdetails.ErrorInfo); isInfo {
			return info.GetReason()
		}
	}
	return ""
}
