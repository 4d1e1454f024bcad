package authzgrpc

import (
	"context"
	"errors"

	"authz.example/clients/go/authz"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// refuse is the status with which a call ends. What the caller's request is to blame for
// is theirs to know; anything else is UNAVAILABLE, says nothing, and is logged.
func (i *Interceptor) refuse(ctx context.Context, method string, err error) error {
	var denied *authz.DeniedError
	var told *authz.Error
	switch {
	case errors.As(err, &denied):
		return ending(denied.Denial.GRPCCode(), denied.Reason, denied.Message)
	case !errors.As(err, &told):
		// It is the handler's own.
		return err
	case isTheCallers(told):
		return ending(told.Code, told.Reason, told.Message)
	default:
		i.logger.WarnContext(ctx, "could not decide", "method", method, "error", err)
		return status.Error(codes.Unavailable, "could not decide")
	}
}

// isTheCallers is not so when the connection to the sidecar is refused, whoever the
// caller is.
func isTheCallers(told *authz.Error) bool {
	if told.Reason == "" || told.Reason == "PEER_NOT_ALLOWED" {
		return false
	}
	return errors.Is(told, authz.ErrInvalidRequest) || errors.Is(told, authz.ErrUnauthenticated) ||
		errors.Is(told, authz.ErrPermissionDenied) || errors.Is(told, authz.ErrNotFound)
}

func ending(code codes.Code, reason, message string) error {
	made := status.New(code, message)
	detailed, err := made.WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: "authz.v1"})
	if err != nil {
		return made.Err()
	}
	return detailed.Err()
}
