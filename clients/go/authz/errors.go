package authz

import (
	"errors"
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What an error is, for errors.Is. None of them means allowed: whatever is returned, do
// not do what was asked about.
//
//	ErrDenied                 decided: no (only Require returns it)
//	ErrUndecided              could not decide: neither yes nor no
//	├── ErrUnavailable        no server, or no facts; was tried again
//	├── ErrDeadline           no answer in time
//	├── ErrOverloaded         the server sheds load; not tried again
//	├── ErrCanceled           the caller's context was canceled
//	├── ErrInternal           a defect of the server, or of the way to it
//	└── ErrProtocol           an answer that no correct server gives
//	ErrInvalidRequest         the question is malformed
//	└── ErrUnknownRevision    the revision is of another history
//	ErrUnauthenticated        nobody that is known
//	ErrPermissionDenied       this caller, or this connection, may not
//	ErrNotFound               the requested organization does not exist
//	ErrNotServed              the listener does not serve this call
var (
	ErrDenied           = errors.New("authz: denied")
	ErrUndecided        = errors.New("authz: undecided")
	ErrUnavailable      = fmt.Errorf("%w: unavailable", ErrUndecided)
	ErrDeadline         = fmt.Errorf("%w: no answer in time", ErrUndecided)
	ErrOverloaded       = fmt.Errorf("%w: overloaded", ErrUndecided)
	ErrCanceled         = fmt.Errorf("%w: canceled", ErrUndecided)
	ErrInternal         = fmt.Errorf("%w: internal", ErrUndecided)
	ErrProtocol         = fmt.Errorf("%w: not a correct answer", ErrUndecided)
	ErrInvalidRequest   = errors.New("authz: invalid request")
	ErrUnknownRevision  = fmt.Errorf("%w: unknown revision", ErrInvalidRequest)
	ErrUnauthenticated  = errors.New("authz: unauthenticated")
	ErrPermissionDenied = errors.New("authz: permission denied")
	ErrNotFound         = errors.New("authz: not found")
	ErrNotServed        = errors.New("authz: not served")
)

const domain = "authz.v1"

// Error says that there is no answer, and why. Every error of a Client is one, for
// errors.As.
type Error struct {
	// Kind is one of the kinds above, except ErrDenied.
	Kind error
	// Code is the gRPC status.
	Code codes.Code
	// Reason is the bare name of a reason of the API, such as FACTS_UNAVAILABLE. Empty
	// when the error did not come from the sidecar.
	Reason string
	// Field names the malformed field of the question. Empty when not known.
	Field string
	// Message is for people.
	Message string

	cause error
}

// Error says what happened.
func (e *Error) Error() string {
	text := e.Kind.Error()
	if e.Reason != "" {
		text += " (" + e.Reason + ")"
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Unwrap gives the kind, and the context's error when that ended the call.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.cause}
}

// Denial is the kind of a denial. The zero value is none of them.
type Denial string

// The kinds of denials.
const (
	DenialInvalid         Denial = "INVALID"
	DenialUnauthenticated Denial = "UNAUTHENTICATED"
	DenialForbidden       Denial = "FORBIDDEN"
	DenialNotFound        Denial = "NOT_FOUND"
)

// HTTPStatus is the status for an HTTP response; never one of success.
func (d Denial) HTTPStatus() int {
	switch d {
	case DenialInvalid:
		return 400
	case DenialUnauthenticated:
		return 401
	case DenialNotFound:
		return 404
	default:
		return 403
	}
}

// GRPCCode is the status for a gRPC response; never one of success.
func (d Denial) GRPCCode() codes.Code {
	switch d {
	case DenialInvalid:
		return codes.InvalidArgument
	case DenialUnauthenticated:
		return codes.Unauthenticated
	case DenialNotFound:
		return codes.NotFound
	default:
		return codes.PermissionDenied
	}
}

// DeniedError is a decision that was required to allow and denies.
type DeniedError struct {
	Denial     Denial
	Reason     string
	Message    string
	DecisionID string
}

// Error says why it was denied.
func (e *DeniedError) Error() string {
	return fmt.Sprintf("%v (%s): %s", ErrDenied, e.Reason, e.Message)
}

// Is makes every DeniedError an ErrDenied.
func (e *DeniedError) Is(target error) bool { return target == ErrDenied }

var kinds = map[codes.Code]error{
	codes.InvalidArgument:   ErrInvalidRequest,
	codes.Unauthenticated:   ErrUnauthenticated,
	codes.PermissionDenied:  ErrPermissionDenied,
	codes.NotFound:          ErrNotFound,
	codes.Unimplemented:     ErrNotServed,
	codes.Unavailable:       ErrUnavailable,
	codes.DeadlineExceeded:  ErrDeadline,
	codes.ResourceExhausted: ErrOverloaded,
}

// told is the error for a status; one that the API never uses becomes ErrInternal.
func told(err error) *Error {
	ended := status.Convert(err)
	made := &Error{Kind: ErrInternal, Code: ended.Code(), Message: ended.Message()}
	if made.Code == codes.OK {
		made.Code = codes.Internal
	}
	if kind, ok := kinds[ended.Code()]; ok {
		made.Kind = kind
	}
	for _, detail := range ended.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetDomain() == domain {
				made.Reason = detail.GetReason()
			}
		case *errdetails.BadRequest:
			if fields := detail.GetFieldViolations(); len(fields) > 0 {
				made.Field = fields[0].GetField()
			}
		}
	}
	if made.Kind == ErrInvalidRequest && made.Reason == "UNKNOWN_REVISION" {
		made.Kind = ErrUnknownRevision
	}
	return made
}

func protocolError(format string, parts ...any) error {
	return &Error{Kind: ErrProtocol, Code: codes.Internal, Message: fmt.Sprintf(format, parts...)}
}

func invalidRequest(field, format string, parts ...any) error {
	return &Error{
		Kind:    ErrInvalidRequest,
		Code:    codes.InvalidArgument,
		Reason:  "MALFORMED_FIELD",
		Field:   field,
		Message: fmt.Sprintf(format, parts...),
	}
}
