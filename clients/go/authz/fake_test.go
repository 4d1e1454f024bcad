package authz_test

import (
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"authz.example/clients/go/authz"
	authzv1 "authz.example/clients/go/authzv1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

var (
	ann  = authz.User("2")
	one  = authz.Resources("cluster", "7")
	fast = authz.WithTimeout(300 * time.Millisecond)
)

// answers serves a sidecar that is not one: it answers each call with what a function
// makes of its method's name, a message or bytes.
func answers(t *testing.T, respond func(call string) (any, error)) string {
	t.Helper()
	handle := func(_ any, stream grpc.ServerStream) error {
		var request []byte
		if err := stream.RecvMsg(&request); err != nil {
			return err
		}
		method, _ := grpc.MethodFromServerStream(stream)
		answer, err := respond(method[strings.LastIndex(method, "/")+1:])
		if err != nil {
			return err
		}
		data, isBytes := answer.([]byte)
		if !isBytes {
			if data, err = proto.Marshal(answer.(proto.Message)); err != nil {
				return err
			}
		}
		return stream.SendMsg(&data)
	}
	server := grpc.NewServer(
		grpc.ForceServerCodecV2(authz.BytesCodec), grpc.UnknownServiceHandler(handle),
	)
	listener, target := listen(t)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return target
}

// counted answers like answers, and counts the calls.
func counted(t *testing.T, respond func(number int) (any, error)) (string, *atomic.Int64) {
	calls := &atomic.Int64{}
	target := answers(t, func(string) (any, error) { return respond(int(calls.Add(1))) })
	return target, calls
}

func listen(t *testing.T) (net.Listener, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	check(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return listener, "unix:" + path
}

func allowed() *authzv1.Decision {
	return &authzv1.Decision{Allowed: true, Reason: authzv1.Reason_REASON_OWNED}
}

func denied() *authzv1.Decision {
	return &authzv1.Decision{
		Denial: authzv1.Denial_DENIAL_NOT_FOUND, Reason: authzv1.Reason_REASON_RESOURCE_NOT_FOUND,
	}
}

func visible(decisions ...*authzv1.Decision) *authzv1.CheckVisibleResponse {
	return &authzv1.CheckVisibleResponse{Decisions: decisions, DecisionId: "d"}
}
