package authzgrpc

import (
	"context"
	"errors"

	"authz.example/clients/go/authz"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// refuse is the status with which a call ends, never OK. What the caller's request is to
// blame for is theirs to know; anything else is UNAVAILABLE, says nothing, and is logged.
func (i *Interceptor) refuse(ctx context.Context, method string, err error) error {
	var denied *authz.DeniedError
	var told *authz.Error
	switch {
	case errors.As(err, &denied):
		return ending(denied.Denial.GRPCCode(), denied.Reason, denied.Message)
	case errors.As(err, &told):
		if code, isTheCallers := callersCode(told); isTheCallers {
			return ending(code, told.Reason, told.Message)
		}
	case status.Code(err) != codes.OK:
		// It is the handler's own.
		return err
	}
	i.logger.WarnContext(ctx, "could not decide", "method", method, "error", err)
	return status.Error(codes.Unavailable, "could not decide")
}

// The kind counts, and not the code of an error, which whoever made it may have left out.
var callersCodes = []struct {
	kind error
	code codes.Code
}{
	{authz.ErrInvalidRequest, codes.InvalidArgument},
	{authz.ErrUnauthenticated, codes.Unauthenticated},
	{authz.ErrPermissionDenied, codes.PermissionDenied},
	{authz.ErrNotFound, codes.NotFound},
}

// callersCode has none when the connection to the sidecar is refused, whoever the caller is.
func callersCode(told *authz.Error) (code codes.Code, isTheCallers bool) {
	if told.Reason == "" || told.Reason == "PEER_NOT_ALLOWED" {
		return codes.Unavailable, false
	}
	for _, each := range callersCodes {
		if errors.Is(told, each.kind) {
			return each.code, true
		}
	}
	return codes.Unavailable, false
}

func ending(code codes.Code, reason, message string) error {
	made := status.New(code, message)
	detailed, err := made.WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: "authz.v1"})
	if err != nil {
		return made.Err()
	}
	return detailed.Err()
}
