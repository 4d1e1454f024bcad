package authz_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"authz.example/clients/go/authz"
	authzv1 "authz.example/clients/go/authzv1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestStatusesAreKinds(t *testing.T) {
	for code, kind := range map[codes.Code]error{
		codes.InvalidArgument:   authz.ErrInvalidRequest,
		codes.Unauthenticated:   authz.ErrUnauthenticated,
		codes.PermissionDenied:  authz.ErrPermissionDenied,
		codes.NotFound:          authz.ErrNotFound,
		codes.Unimplemented:     authz.ErrNotServed,
		codes.Unavailable:       authz.ErrUnavailable,
		codes.DeadlineExceeded:  authz.ErrDeadline,
		codes.ResourceExhausted: authz.ErrOverloaded,
		codes.Internal:          authz.ErrInternal,
		codes.Canceled:          authz.ErrInternal,
		codes.Unknown:           authz.ErrInternal,
		codes.Aborted:           authz.ErrInternal,
		codes.Code(77):          authz.ErrInternal,
	} {
		t.Run(code.String(), func(t *testing.T) {
			target, calls := counted(t, func(int) (any, error) { return nil, status.Error(code, "no") })

			answer, err := connect(t, target).CheckVisible(t.Context(), ann, one)

			wantKind(t, answer, err, kind)
			wanted := int64(1)
			if code == codes.Unavailable {
				wanted = 4
			}
			if calls.Load() != wanted {
				t.Errorf("it was asked %d times instead of %d", calls.Load(), wanted)
			}
		})
	}
}

func TestErrorsTellReasonAndField(t *testing.T) {
	detailed := func(code codes.Code, reason, domain, field string) error {
		made, err := status.New(code, "no").WithDetails(
			&errdetails.ErrorInfo{Reason: reason, Domain: domain},
			&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: field}}},
		)
		check(t, err)
		return made.Err()
	}
	ask := func(ended error) *authz.Error {
		target := answers(t, func(string) (any, error) { return nil, ended })
		_, err := connect(t, target).ResolveContext(t.Context(), ann)
		var told *authz.Error
		if !errors.As(err, &told) {
			t.Fatalf("it is not typed: %v", err)
		}
		return told
	}

	malformed := ask(detailed(codes.InvalidArgument, "MALFORMED_FIELD", "authz.v1", "caller"))
	if malformed.Reason != "MALFORMED_FIELD" || malformed.Field != "caller" {
		t.Errorf("the field is not told: %+v", malformed)
	}
	if foreign := ask(detailed(codes.NotFound, "GONE", "another.v1", "")); foreign.Reason != "" {
		t.Errorf("another's reason is told: %+v", foreign)
	}
	unknown := ask(detailed(codes.InvalidArgument, "UNKNOWN_REVISION", "authz.v1", ""))
	if !errors.Is(unknown, authz.ErrUnknownRevision) || !errors.Is(unknown, authz.ErrInvalidRequest) {
		t.Errorf("the revision is known: %v", unknown)
	}
}

func TestUnavailableIsTriedAgain(t *testing.T) {
	target, calls := counted(t, func(number int) (any, error) {
		if number < 3 {
			return nil, status.Error(codes.Unavailable, "not yet")
		}
		return visible(allowed()), nil
	})

	answer, err := connect(t, target).CheckVisible(t.Context(), ann, one)

	check(t, err)
	check(t, answer.Require())
	if calls.Load() != 3 {
		t.Errorf("it was asked %d times", calls.Load())
	}
}

func TestRepetitionsHaveOneBudget(t *testing.T) {
	target, calls := counted(t, func(int) (any, error) {
		return nil, status.Error(codes.Unavailable, "away")
	})
	retry := authz.DefaultRetry()
	retry.Budget = 5
	client := connect(t, target, authz.WithRetry(retry))

	for range 10 {
		_, _ = client.CheckVisible(t.Context(), ann, one)
	}

	if calls.Load() != 15 {
		t.Errorf("10 calls and 5 repetitions were %d", calls.Load())
	}
}

func TestRepetitionsEndWithTheDeadline(t *testing.T) {
	target, _ := counted(t, func(int) (any, error) {
		return nil, status.Error(codes.Unavailable, "away")
	})
	retry := authz.Retry{Attempts: 1000, FirstWait: 80 * time.Millisecond, LongestWait: time.Second, Budget: 1000}
	client := connect(t, target, authz.WithRetry(retry), authz.WithTimeout(200*time.Millisecond))
	before := time.Now()

	answer, err := client.CheckVisible(t.Context(), ann, one)

	// On a busy machine the deadline may end an attempt and not a wait.
	wantKind(t, answer, err, authz.ErrUndecided)
	if took := time.Since(before); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestTheContextEndsACall(t *testing.T) {
	retry := authz.Retry{Attempts: 2, FirstWait: time.Hour, LongestWait: time.Hour, Budget: 10}
	asked := make(chan struct{}, 8)
	target := answers(t, func(string) (any, error) {
		asked <- struct{}{}
		return nil, status.Error(codes.Unavailable, "away")
	})
	client := connect(t, target, authz.WithRetry(retry), authz.WithTimeout(24*time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()

	answer, err := client.CheckVisible(ctx, ann, one)

	wantKind(t, answer, err, authz.ErrCanceled)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("it is not the context's: %v", err)
	}
}

func TestQuestionsThatCannotBeSent(t *testing.T) {
	target, calls := counted(t, func(int) (any, error) { return visible(allowed()), nil })
	client := connect(t, target)
	ctx := t.Context()

	_, err := client.CheckVisible(ctx, authz.User("\xff"), one)
	wantKind[int](t, nil, err, authz.ErrInvalidRequest)
	_, err = client.CheckRole(ctx, ann, nil)
	wantKind[int](t, nil, err, authz.ErrInvalidRequest)
	_, err = client.CheckRole(ctx, ann, authz.AnyOrgRole{"OWNER"})
	wantKind[int](t, nil, err, authz.ErrInvalidRequest)
	_, err = client.Authorize(ctx, ann, []authz.Requirement{nil})
	wantKind[int](t, nil, err, authz.ErrInvalidRequest)
	_, err = client.GetPermissions(ctx, ann, []authz.PermissionQuery{{Context: "PRINT"}})
	wantKind[int](t, nil, err, authz.ErrInvalidRequest)
	_, err = client.ResolveContext(ctx, ann, authz.FullyConsistent(), authz.AtLeastAsFresh("1"))
	wantKind[int](t, nil, err, authz.ErrInvalidRequest)
	if calls.Load() != 0 {
		t.Errorf("%d of them were sent", calls.Load())
	}
	check(t, client.Close())
	answer, err := client.CheckVisible(ctx, ann, one)
	wantKind(t, answer, err, authz.ErrUndecided)
	_, err = connect(t, target).CheckVisible(ctx, ann, one, authz.Timeout(0))
	wantKind[int](t, nil, err, authz.ErrDeadline)
}

func TestConnectRefuses(t *testing.T) {
	for says, err := range map[string]error{
		"no target":         second(authz.Connect("")),
		"no path":           second(authz.Connect("unix:")),
		"no port":           second(authz.Connect("localhost")),
		"a URL":             second(authz.Connect("http://localhost:1")),
		"no time":           second(authz.Connect("unix:a", authz.WithTimeout(0))),
		"half a pair":       second(authz.Connect("a:1", authz.WithTLS(authz.TLS{Key: "k"}))),
		"a missing file":    second(authz.Connect("a:1", authz.WithTLS(authz.TLS{CA: "/nowhere"}))),
		"no certificate":    second(authz.Connect("a:1", authz.WithTLS(authz.TLS{CA: "-----BEGIN NOTHING"}))),
		"what is no a pair": second(authz.Connect("a:1", authz.WithTLS(authz.TLS{Key: "-----BEGIN ", Certificate: "-----BEGIN "}))),
	} {
		if err == nil {
			t.Errorf("%s is accepted", says)
		}
	}
}

func second(client *authz.Client, err error) error {
	if client != nil {
		_ = client.Close()
	}
	return err
}

// Whoever drops an error, or asks a value that nobody filled, hears no.
func TestNothingSaysNo(t *testing.T) {
	var decisions *authz.Decisions
	var role *authz.CheckedRole
	var authorization *authz.Authorization
	if decisions.AllAllowed() || role.Allowed() || authorization.Allowed() ||
		(&authz.Decisions{}).AllAllowed() || (&authz.Authorization{}).Allowed() ||
		(&authz.Decisions{Each: make([]authz.Decision, 1)}).AllAllowed() ||
		(authz.Decision{}).Allowed() || (authz.Decision{Reason: "OWNED"}).Allowed() {
		t.Error("nothing is allowed")
	}
	for _, err := range []error{
		decisions.Require(), role.Require(), authorization.Require(),
		(&authz.Decisions{}).Require(), authz.Decision{}.Require(),
	} {
		var denied *authz.DeniedError
		if !errors.Is(err, authz.ErrDenied) || !errors.As(err, &denied) || denied.Denial.HTTPStatus() != 403 {
			t.Errorf("nothing is not denied: %v", err)
		}
	}
	if (authz.Decision{}).Denial() != authz.DenialForbidden {
		t.Error("nothing is not a denial")
	}
}

func TestLevels(t *testing.T) {
	unset := authz.AccessLevel{}
	rising := []authz.AccessLevel{authz.LevelNone, authz.LevelMy, authz.LevelGroup, authz.LevelAll}
	for have, level := range rising {
		for least, other := range rising {
			if level.AtLeast(other) != (have >= least) {
				t.Errorf("%v at least %v is %v", level, other, level.AtLeast(other))
			}
		}
		if level.AtLeast(unset) || unset.AtLeast(level) {
			t.Errorf("%v is compared with no level", level)
		}
	}
	if unset.AtLeast(unset) || unset.String() != "UNSPECIFIED" {
		t.Error("no level is one")
	}
	for _, operation := range []authz.Operation{authz.OperationView, authz.OperationRead, authz.OperationCreate, authz.OperationUpdate, authz.OperationDelete, "PRINT"} {
		if (authz.Permissions{}).Level(operation).AtLeast(authz.LevelMy) {
			t.Errorf("no permissions reach %v", operation)
		}
	}
	if !(authz.Permissions{View: true}).Level(authz.OperationView).AtLeast(authz.LevelAll) {
		t.Error("what may be viewed may not")
	}
}

func TestCallersShowNoCredential(t *testing.T) {
	var logged strings.Builder
	logger := slog.New(slog.NewTextHandler(&logged, nil))
	for _, caller := range []authz.Caller{authz.APIKey("hush"), authz.AccessToken("hush").InOrganization("20")} {
		data, err := json.Marshal(caller)
		check(t, err)
		logger.Info("asked", "caller", caller)
		shown := fmt.Sprintf("%v %+v %#v %s %q %x %s", caller, caller, caller, caller, caller, caller, data)
		shown += fmt.Sprintf("%v", []any{caller, &caller, struct{ C authz.Caller }{caller}})
		if strings.Contains(shown+logged.String(), "hush") || strings.Contains(shown, "68757368") {
			t.Errorf("it is shown: %s", shown)
		}
	}
	if text := authz.Subject("issuer", "name").String(); text != `subject "name" of "issuer"` {
		t.Errorf("it is named %s", text)
	}
}

func TestUnknownFeaturesAreLeftOut(t *testing.T) {
	target := answers(t, func(string) (any, error) {
		return &authzv1.GetServerInfoResponse{Features: []authzv1.OptionalFeature{99, 0, 2}}, nil
	})

	info, err := connect(t, target).ServerInfo(t.Context())

	check(t, err)
	if len(info.Features) != 1 || info.Features[0] != "WATCH" {
		t.Errorf("it serves %v", info.Features)
	}
}
