package authz_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"authz.example/clients/go/authz"
	authzv1 "authz.example/clients/go/authzv1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// What is at the other end of the connection, and what every call must end with.
func TestNoServer(t *testing.T) {
	for _, each := range []struct {
		says   string
		behave func(net.Conn)
		kind   error
	}{
		{"says nothing", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, authz.ErrUndecided},
		{"closes each connection", func(c net.Conn) { _ = c.Close() }, authz.ErrUnavailable},
		{"sends what is no HTTP/2", func(c net.Conn) {
			_, _ = c.Write(bytes.Repeat([]byte("garbage "), 4096))
			_, _ = io.Copy(io.Discard, c)
		}, authz.ErrUndecided},
		{"speaks HTTP/1.1", func(c net.Conn) {
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"))
		}, authz.ErrUndecided},
	} {
		t.Run(each.says, func(t *testing.T) {
			listener, target := listen(t)
			go accept(listener, each.behave)

			everyCallFails(t, connect(t, target, fast), each.kind)
		})
	}
	t.Run("is not there", func(t *testing.T) {
		listener, target := listen(t)
		check(t, listener.Close())

		everyCallFails(t, connect(t, target, fast), authz.ErrUnavailable)
	})
}

func accept(listener net.Listener, behave func(net.Conn)) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go behave(connection)
	}
}

func TestNoAnswer(t *testing.T) {
	ending := make(chan struct{})
	t.Cleanup(func() { close(ending) })
	for _, each := range []struct {
		says   string
		answer func() []byte
		kind   error
	}{
		{"never", func() []byte { <-ending; return nil }, authz.ErrDeadline},
		{"no message of the API", func() []byte { return []byte{0xff, 0xff, 0xff} }, authz.ErrProtocol},
	} {
		t.Run(each.says, func(t *testing.T) {
			target := answers(t, func(string) (any, error) { return each.answer(), nil })

			everyCallFails(t, connect(t, target, fast), each.kind)
		})
	}
	t.Run("never, and nothing was said of time", func(t *testing.T) {
		target := answers(t, func(string) (any, error) { <-ending; return []byte{}, nil })
		client, err := authz.Connect(target)
		check(t, err)
		t.Cleanup(func() { _ = client.Close() })
		before := time.Now()

		answer, err := client.CheckVisible(t.Context(), ann, one)

		wantKind(t, answer, err, authz.ErrDeadline)
		if took := time.Since(before); took < 900*time.Millisecond || took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
	t.Run("slowly", func(t *testing.T) {
		target := answers(t, func(string) (any, error) {
			time.Sleep(500 * time.Millisecond)
			return visible(allowed()), nil
		})

		answer, err := connect(t, target, fast).CheckVisible(t.Context(), ann, one)

		wantKind(t, answer, err, authz.ErrDeadline)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it is not the context's deadline: %v", err)
		}
	})
}

// Which side of a deadline ends the call first is a race; the error is the same.
func TestDeadlineOfTheServer(t *testing.T) {
	late := status.Error(codes.DeadlineExceeded, "too late")
	target := answers(t, func(string) (any, error) { return nil, late })

	answer, err := connect(t, target).CheckVisible(t.Context(), ann, one)

	wantKind(t, answer, err, authz.ErrDeadline)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it is not the context's deadline: %v", err)
	}
}

// A client that is closed leaves nobody waiting, no connection and no goroutine.
func TestCloseLeavesNothing(t *testing.T) {
	listener, target := listen(t)
	before := runtime.NumGoroutine()
	connected, ended := make(chan struct{}, 10), make(chan struct{}, 10)
	go accept(listener, func(c net.Conn) {
		connected <- struct{}{}
		_, _ = io.Copy(io.Discard, c)
		ended <- struct{}{}
	})
	client, err := authz.Connect(target, authz.WithTimeout(time.Hour))
	check(t, err)
	failed := make(chan error, 1)
	go func() {
		_, err := client.CheckVisible(t.Context(), ann, one)
		failed <- err
	}()
	<-connected

	check(t, client.Close())

	within(t, func() bool { return len(failed) == 1 && len(ended) == 1 })
	if err := <-failed; !errors.Is(err, authz.ErrUndecided) {
		t.Errorf("it seems decided: %v", err)
	}
	check(t, listener.Close())
	within(t, func() bool { return runtime.NumGoroutine() <= before })
}

// within waits until something holds, at most ten seconds.
func within(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("it does not come to hold")
		}
	}
}

// everyCallFails checks each call for a typed error, within the deadline, without an
// answer.
func everyCallFails(t *testing.T, client *authz.Client, kind error) {
	t.Helper()
	ctx := t.Context()
	fails(t, kind, func() (*authz.ResolvedContext, error) { return client.ResolveContext(ctx, ann) })
	fails(t, kind, func() (*authz.AvailableContexts, error) { return client.ListContexts(ctx, ann) })
	fails(t, kind, func() (*authz.Decisions, error) { return client.CheckVisible(ctx, ann, one) })
	fails(t, kind, func() (*authz.Decisions, error) { return client.CheckWritable(ctx, ann, one) })
	fails(t, kind, func() (*authz.Decisions, error) {
		return client.CheckCreatable(ctx, ann, []authz.NewResource{{Kind: "model"}})
	})
	fails(t, kind, func() (*authz.CheckedRole, error) {
		return client.CheckRole(ctx, ann, authz.PlatformAdmin{})
	})
	fails(t, kind, func() (*authz.PermissionsList, error) {
		return client.GetPermissions(ctx, ann, []authz.PermissionQuery{{Context: authz.ContextData}})
	})
	fails(t, kind, func() (*authz.Authorization, error) {
		return client.Authorize(ctx, ann, []authz.Requirement{authz.Visible(one[0])})
	})
	fails(t, kind, func() (*authz.ListFilter, error) { return client.GetListFilter(ctx, ann, "model") })
	fails(t, kind, func() (*authz.RuleProblems, error) {
		return client.ValidateAccessRules(ctx, []authz.AccessRule{{RoleID: "1"}})
	})
	fails(t, kind, func() (*authz.ServerInfo, error) { return client.ServerInfo(ctx) })
}

func fails[A any](t *testing.T, kind error, call func() (*A, error)) {
	t.Helper()
	before := time.Now()
	answer, err := call()
	if took := time.Since(before); took > 1500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	wantKind(t, answer, err, kind)
	if !errors.Is(err, authz.ErrUndecided) {
		t.Errorf("it seems decided: %v", err)
	}
}

// Answers that no correct server gives.
func TestLies(t *testing.T) {
	const unknown = 99
	asVisible := func(c *authz.Client, ctx context.Context) (any, error) {
		return orNil(c.CheckVisible(ctx, ann, one))
	}
	asRole := func(c *authz.Client, ctx context.Context) (any, error) {
		return orNil(c.CheckRole(ctx, ann, authz.PlatformAdmin{}))
	}
	asAuthorize := func(c *authz.Client, ctx context.Context) (any, error) {
		return orNil(c.Authorize(ctx, ann, []authz.Requirement{authz.Visible(one[0])}))
	}
	asPermissions := func(c *authz.Client, ctx context.Context) (any, error) {
		return orNil(c.GetPermissions(ctx, ann, []authz.PermissionQuery{{Context: authz.ContextData}}))
	}
	asResolve := func(c *authz.Client, ctx context.Context) (any, error) {
		return orNil(c.ResolveContext(ctx, ann))
	}
	asContexts := func(c *authz.Client, ctx context.Context) (any, error) {
		return orNil(c.ListContexts(ctx, ann))
	}
	asFilter := func(c *authz.Client, ctx context.Context) (any, error) {
		return orNil(c.GetListFilter(ctx, ann, "model"))
	}
	asSQL := func(c *authz.Client, ctx context.Context) (any, error) {
		return orNil(c.GetListFilter(ctx, ann, "model", authz.WithSQL(authz.SQLOptions{Placeholders: authz.PlaceholderDollar})))
	}
	asRules := func(c *authz.Client, ctx context.Context) (any, error) {
		return orNil(c.ValidateAccessRules(ctx, []authz.AccessRule{{RoleID: "1"}}))
	}
	asInfo := func(c *authz.Client, ctx context.Context) (any, error) { return orNil(c.ServerInfo(ctx)) }
	condition := func(made *authzv1.FilterCondition) *authzv1.GetListFilterResponse {
		return &authzv1.GetListFilterResponse{Filter: &authzv1.ListFilter{
			Selection: &authzv1.ListFilter_Condition{Condition: made},
		}}
	}
	everything := &authzv1.ListFilter{Selection: &authzv1.ListFilter_Everything{Everything: true}}
	equals := &authzv1.FilterCondition{Condition: &authzv1.FilterCondition_Equals{
		Equals: &authzv1.FieldEquals{Field: authzv1.FilterField_FILTER_FIELD_ID, Value: "1"},
	}}
	tenant := &authzv1.TenantContext{UserId: "2"}

	for _, each := range []struct {
		says   string
		answer any
		ask    func(*authz.Client, context.Context) (any, error)
	}{
		{"nothing", &authzv1.CheckVisibleResponse{}, asVisible},
		{"one decision too many", visible(allowed(), allowed()), asVisible},
		{"no decision", visible(), asVisible},
		{"no decision id", &authzv1.CheckVisibleResponse{Decisions: visible(allowed()).Decisions}, asVisible},
		{"allowed with a denial", visible(&authzv1.Decision{Allowed: true, Denial: 3, Reason: 1}), asVisible},
		{"allowed with an unknown denial", visible(&authzv1.Decision{Allowed: true, Denial: unknown, Reason: 1}), asVisible},
		{"denied with an unknown denial", visible(&authzv1.Decision{Denial: unknown, Reason: 25}), asVisible},
		{"allowed without a reason", visible(&authzv1.Decision{Allowed: true}), asVisible},
		{"allowed for an unknown reason", visible(&authzv1.Decision{Allowed: true, Reason: unknown}), asVisible},
		{"allowed for a reason to deny", visible(&authzv1.Decision{Allowed: true, Reason: 25}), asVisible},
		{"allowed for the reason of an error", visible(&authzv1.Decision{Allowed: true, Reason: 55}), asVisible},
		{"denied for a reason to allow", visible(&authzv1.Decision{Denial: 4, Reason: 1}), asVisible},
		{"neither allowed nor denied", visible(&authzv1.Decision{Reason: 25}), asVisible},
		{"a gate without a decision", &authzv1.CheckRoleResponse{DecisionId: "d"}, asRole},
		{"a gate without an id", &authzv1.CheckRoleResponse{Decision: allowed()}, asRole},
		{"a verdict against its decisions", &authzv1.AuthorizeResponse{
			Decision: allowed(), Decisions: visible(denied()).Decisions, DecisionId: "d", Context: tenant,
		}, asAuthorize},
		{"a verdict that is stricter than its decisions", &authzv1.AuthorizeResponse{
			Decision: denied(), Decisions: visible(allowed()).Decisions, DecisionId: "d", Context: tenant,
		}, asAuthorize},
		{"no verdict", &authzv1.AuthorizeResponse{
			Decisions: visible(allowed()).Decisions, DecisionId: "d", Context: tenant,
		}, asAuthorize},
		{"allowed without a context", &authzv1.AuthorizeResponse{
			Decision: allowed(), Decisions: visible(allowed()).Decisions, DecisionId: "d",
		}, asAuthorize},
		{"no permissions", &authzv1.GetPermissionsResponse{DecisionId: "d"}, asPermissions},
		{"permissions without an id", &authzv1.GetPermissionsResponse{Permissions: []*authzv1.Permissions{
			{Read: 1, Create: 1, Update: 1, Delete: 1},
		}}, asPermissions},
		{"a level that is not set", &authzv1.GetPermissionsResponse{
			DecisionId: "d", Permissions: []*authzv1.Permissions{{Read: 4, Create: 1, Update: 1}},
		}, asPermissions},
		{"an unknown level", &authzv1.GetPermissionsResponse{
			DecisionId:  "d",
			Permissions: []*authzv1.Permissions{{Read: unknown, Create: 1, Update: 1, Delete: 1}},
		}, asPermissions},
		{"no context", &authzv1.ResolveContextResponse{}, asResolve},
		{"a context of nobody", &authzv1.ResolveContextResponse{Context: &authzv1.TenantContext{Bypass: true}}, asResolve},
		{"a context in an unknown role", &authzv1.ResolveContextResponse{
			Context: &authzv1.TenantContext{UserId: "2", OrgRole: new(authzv1.OrgRole(unknown))},
		}, asResolve},
		{"a context of no kind", &authzv1.ListContextsResponse{
			Contexts: []*authzv1.AvailableContext{{Name: "Acme"}},
		}, asContexts},
		{"no filter", &authzv1.GetListFilterResponse{}, asFilter},
		{"an empty filter", &authzv1.GetListFilterResponse{Filter: &authzv1.ListFilter{}}, asFilter},
		{"everything, not", &authzv1.GetListFilterResponse{
			Filter: &authzv1.ListFilter{Selection: &authzv1.ListFilter_Everything{}},
		}, asFilter},
		{"an empty condition", condition(&authzv1.FilterCondition{}), asFilter},
		{"all of one", condition(&authzv1.FilterCondition{Condition: &authzv1.FilterCondition_AllOf{
			AllOf: &authzv1.FilterConditions{Conditions: []*authzv1.FilterCondition{equals}},
		}}), asFilter},
		{"all of one and an unknown one", condition(&authzv1.FilterCondition{
			Condition: &authzv1.FilterCondition_AllOf{AllOf: &authzv1.FilterConditions{
				Conditions: []*authzv1.FilterCondition{equals, {}},
			}},
		}), asFilter},
		{"any of none", condition(&authzv1.FilterCondition{Condition: &authzv1.FilterCondition_AnyOf{}}), asFilter},
		{"in nothing", condition(&authzv1.FilterCondition{Condition: &authzv1.FilterCondition_In{
			In: &authzv1.FieldIn{Field: authzv1.FilterField_FILTER_FIELD_ID},
		}}), asFilter},
		{"an unknown field", condition(&authzv1.FilterCondition{Condition: &authzv1.FilterCondition_Equals{
			Equals: &authzv1.FieldEquals{Field: unknown, Value: "1"},
		}}), asFilter},
		{"SQL that was not asked for", &authzv1.GetListFilterResponse{
			Filter: everything, Sql: &authzv1.SqlFilter{Text: "TRUE"},
		}, asFilter},
		{"no SQL", &authzv1.GetListFilterResponse{Filter: everything}, asSQL},
		{"empty SQL", &authzv1.GetListFilterResponse{Filter: everything, Sql: &authzv1.SqlFilter{}}, asSQL},
		{"a parameter without a value", &authzv1.GetListFilterResponse{
			Filter: everything,
			Sql:    &authzv1.SqlFilter{Text: "($1)", Parameters: []*authzv1.SqlParameter{{}}},
		}, asSQL},
		{"a problem of another rule", &authzv1.ValidateAccessRulesResponse{
			Problems: []*authzv1.AccessRuleProblem{{RuleIndex: 1, Reason: 1}},
		}, asRules},
		{"a problem that is none", &authzv1.ValidateAccessRulesResponse{
			Problems: []*authzv1.AccessRuleProblem{{}},
		}, asRules},
		{"a duration that is none", &authzv1.GetServerInfoResponse{
			Staleness: &durationpb.Duration{Seconds: 1, Nanos: -1},
		}, asInfo},
	} {
		t.Run(each.says, func(t *testing.T) {
			target := answers(t, func(string) (any, error) { return each.answer, nil })
			client := connect(t, target)

			answer, err := each.ask(client, t.Context())

			if answer != nil || !errors.Is(err, authz.ErrProtocol) {
				t.Errorf("it was believed: %+v, %v", answer, err)
			}
		})
	}
}

// orNil keeps a nil pointer from becoming an interface that is not nil.
func orNil[A any](answer *A, err error) (any, error) {
	if answer == nil {
		return nil, err
	}
	return answer, err
}

func TestWatchEndsWithWhatIsNotKnown(t *testing.T) {
	target := answers(t, func(string) (any, error) { return &authzv1.WatchResponse{}, nil })
	var events, errs int
	for event, err := range connect(t, target).Watch(t.Context(), nil) {
		if event != nil {
			events++
		}
		if errors.Is(err, authz.ErrProtocol) {
			errs++
		}
	}

	if events != 0 || errs != 1 {
		t.Errorf("told %d events and %d errors", events, errs)
	}
}
