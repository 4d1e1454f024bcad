// Open Policy Agent's engine behind Envoy's ext_authz, with as little around it as can
// be: a prepared query, the request's method, path and headers as its input, and the
// headers to add from its answer. Less than OPA's own plugin for Envoy does, so what
// it costs is rather too little.
package main

import (
	"context"
	"log"
	"net"
	"os"
	"strings"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/open-policy-agent/opa/v1/rego"
	rpc "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	health_v1 "google.golang.org/grpc/health/grpc_health_v1"
)

type server struct {
	auth.UnimplementedAuthorizationServer
	query rego.PreparedEvalQuery
}

// Check answers Envoy; what cannot be decided is an error, which Envoy does not let
// pass.
func (s *server) Check(ctx context.Context, asked *auth.CheckRequest) (*auth.CheckResponse, error) {
	http := asked.GetAttributes().GetRequest().GetHttp()
	headers := map[string]any{}
	for _, each := range http.GetHeaderMap().GetHeaders() {
		headers[each.GetKey()] = string(each.GetRawValue())
	}
	path, _, _ := strings.Cut(http.GetPath(), "?")
	segments := []any{}
	for _, each := range strings.Split(strings.Trim(path, "/"), "/") {
		segments = append(segments, each)
	}
	input := map[string]any{
		"method": http.GetMethod(), "path": segments, "headers": headers,
	}
	results, err := s.query.Eval(ctx, rego.EvalInput(input))
	if err != nil || len(results) != 1 {
		return nil, err
	}
	answer, _ := results[0].Expressions[0].Value.(map[string]any)
	if allowed, _ := answer["allowed"].(bool); !allowed {
		denied := &rpc.Status{Code: int32(codes.PermissionDenied)}
		return &auth.CheckResponse{Status: denied}, nil
	}
	return allow(answer["headers"]), nil
}

func allow(wanted any) *auth.CheckResponse {
	added := []*core.HeaderValueOption{}
	named, _ := wanted.(map[string]any)
	for name, value := range named {
		text, _ := value.(string)
		header := &core.HeaderValue{Key: name, Value: text}
		added = append(added, &core.HeaderValueOption{Header: header})
	}
	ok := &auth.OkHttpResponse{Headers: added}
	return &auth.CheckResponse{
		Status:       &rpc.Status{Code: int32(codes.OK)},
		HttpResponse: &auth.CheckResponse_OkResponse{OkResponse: ok},
	}
}

// Arguments: the socket's path, the policy, the data as JSON.
func main() {
	ctx := context.Background()
	query, err := rego.New(
		rego.Query("data.edge.answer"),
		rego.Load(os.Args[2:4], nil),
	).PrepareForEval(ctx)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	serving := grpc.NewServer()
	auth.RegisterAuthorizationServer(serving, &server{query: query})
	well := health.NewServer()
	well.SetServingStatus(
		"envoy.service.auth.v3.Authorization", health_v1.HealthCheckResponse_SERVING)
	health_v1.RegisterHealthServer(serving, well)
	log.Fatal(serving.Serve(listener))
}
