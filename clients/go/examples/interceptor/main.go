// Command interceptor is a gRPC server whose methods run only for those who may.
//
//	AUTHZ_TARGET=unix:authz.sock go run ./examples/interceptor
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"net"
	"os"

	"authz.example/clients/go/authz"
	"authz.example/clients/go/authzgrpc"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type text = wrapperspb.StringValue

// What is not here is refused.
var rules = authzgrpc.Rules{
	"/demo.Clusters/Ping":   authzgrpc.Open(),
	"/demo.Clusters/WhoAmI": authzgrpc.Tenant(),
	"/demo.Clusters/Restart": authzgrpc.ForRequest(func(request *text) []authz.Requirement {
		return []authz.Requirement{
			authz.InRole{Gate: authz.AnyOrgRole{authz.OrgRoleAdmin}},
			authz.Visible{Kind: "cluster", ID: request.GetValue()},
		}
	}),
}

func ping(_ context.Context, request *text) (*text, error) { return request, nil }

func whoAmI(ctx context.Context, _ *text) (*text, error) {
	tenant, isThere := authzgrpc.TenantOf(ctx)
	if !isThere || tenant.CurrentPrincipalID == nil {
		return wrapperspb.String("everybody"), nil
	}
	return wrapperspb.String(*tenant.CurrentPrincipalID), nil
}

func restart(ctx context.Context, request *text) (*text, error) {
	tenant, _ := authzgrpc.TenantOf(ctx)
	return wrapperspb.String(fmt.Sprintf("%s by %s", request.GetValue(), tenant.UserID)), nil
}

// newServer serves demo.Clusters. With a proto of your own, its generated function
// registers the service.
func newServer(client *authz.Client) *grpc.Server {
	guard := authzgrpc.New(client, rules)
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(guard.Unary), grpc.ChainStreamInterceptor(guard.Stream),
	)
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "demo.Clusters",
		Methods: []grpc.MethodDesc{
			method("Ping", ping),
			method("WhoAmI", whoAmI),
			method("Restart", restart),
			method("Drop", ping), // has no rule
		},
	}, nil)
	return server
}

func method(name string, run func(context.Context, *text) (*text, error)) grpc.MethodDesc {
	info := &grpc.UnaryServerInfo{FullMethod: "/demo.Clusters/" + name}
	handler := func(ctx context.Context, request any) (any, error) { return run(ctx, request.(*text)) }
	return grpc.MethodDesc{MethodName: name, Handler: func(
		_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor,
	) (any, error) {
		request := &text{}
		if err := decode(request); err != nil {
			return nil, err
		}
		return intercept(ctx, request, info, handler)
	}}
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	client, err := authz.Connect(cmp.Or(os.Getenv("AUTHZ_TARGET"), "unix:authz.sock"))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	listener, err := net.Listen("tcp", "127.0.0.1:50051")
	if err != nil {
		return err
	}
	log.Printf("serving on %s", listener.Addr())
	return newServer(client).Serve(listener)
}
