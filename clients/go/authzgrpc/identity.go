package authzgrpc

import (
	"strings"

	"authz.example/clients/go/authz"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

const (
	authorization = "authorization"
	apiKey        = "x-api-key"
	organization  = "x-organization-id"
	// Envoy sets it on requests that it lets pass because nobody decided.
	undecided = "x-envoy-auth-failure-mode-allowed"
)

// CallerOf says who calls, from a call's metadata. Without a credential it is the zero
// Caller. The metadata is read as authz-sidecar reads headers at the edge of a mesh, so
// that a call means the same there and here.
type CallerOf func(metadata.MD) (authz.Caller, error)

// ByCredential is whoever proves who they are. `authorization: Bearer` has a JWT or an
// API key, `x-api-key` a key, and `x-organization-id` the organization that is wished
// for. The sidecar checks all of it.
func ByCredential(headers metadata.MD) (authz.Caller, error) {
	made, err := credential(headers)
	if err != nil || made.IsZero() {
		return authz.Caller{}, err
	}
	return inOrganization(made, headers)
}

// Trusting is whoever a header names, without proof. Only where everybody's calls come
// through a proxy that sets this header, or takes it off: otherwise anybody is whoever
// they say.
func Trusting(userHeader string) CallerOf {
	name := strings.ToLower(userHeader)
	return func(headers metadata.MD) (authz.Caller, error) {
		userID, _, err := single(headers, name)
		if err != nil || userID == "" {
			return authz.Caller{}, err
		}
		return inOrganization(authz.User(userID), headers)
	}
}

func credential(headers metadata.MD) (authz.Caller, error) {
	value, hasAuthorization, err := single(headers, authorization)
	if err != nil {
		return authz.Caller{}, err
	}
	key, hasKey, err := single(headers, apiKey)
	switch {
	case err != nil:
		return authz.Caller{}, err
	case hasAuthorization && hasKey:
		return authz.Caller{}, invalid("TWO_CREDENTIALS", "the request has two credentials")
	case hasKey:
		return authz.APIKey(key), nil
	case hasAuthorization:
		return bearer(value)
	default:
		return authz.Caller{}, nil
	}
}

func bearer(value string) (authz.Caller, error) {
	scheme, rest, _ := strings.Cut(value, " ")
	text := strings.TrimLeft(rest, " ")
	if !strings.EqualFold(scheme, "bearer") || text == "" || strings.Contains(text, " ") {
		return authz.Caller{}, unauthenticated("INVALID_CREDENTIAL", "the credential is not valid")
	}
	// A JWT has three parts, and no part of it can have a dot.
	if strings.Count(text, ".") == 2 {
		return authz.AccessToken(text), nil
	}
	return authz.APIKey(text), nil
}

func inOrganization(caller authz.Caller, headers metadata.MD) (authz.Caller, error) {
	wished, isThere, err := single(headers, organization)
	if err != nil {
		return authz.Caller{}, err
	}
	if isThere {
		caller = caller.InOrganization(wished)
	}
	return caller, nil
}

// single is the value of a header. With two, on two lines or joined by a comma, nobody
// knows which of them others take it for.
func single(headers metadata.MD, name string) (string, bool, error) {
	values := headers[name]
	if len(values) == 0 {
		return "", false, nil
	}
	if len(values) > 1 || strings.Contains(values[0], ",") {
		return "", true, invalid("REPEATED_HEADER", "the header "+name+" has more than one value")
	}
	return strings.Trim(values[0], " \t"), true, nil
}

func invalid(reason, message string) error {
	return &authz.Error{
		Kind: authz.ErrInvalidRequest, Code: codes.InvalidArgument, Reason: reason, Message: message,
	}
}

func unauthenticated(reason, message string) error {
	return &authz.Error{
		Kind: authz.ErrUnauthenticated, Code: codes.Unauthenticated, Reason: reason, Message: message,
	}
}
