package authz_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"authz.example/clients/go/authz"
	"authz.example/clients/go/internal/serving"
)

// connect makes a client with so much time that a busy machine is no reason to fail.
func connect(t *testing.T, target string, options ...authz.Option) *authz.Client {
	t.Helper()
	patient := []authz.Option{authz.WithTimeout(10 * time.Second)}
	client, err := authz.Connect(target, append(patient, options...)...)
	check(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLive(t *testing.T) {
	for _, engine := range []string{"native", "grpcio"} {
		t.Run(engine, func(t *testing.T) {
			live := serving.Start(t, "tenancy", engine)
			tls := authz.WithTLS(authz.TLS{
				CA: live.TLS.CA, Certificate: live.TLS.Cert, Key: live.TLS.Key,
			})
			t.Run("unix", func(t *testing.T) { asks(t, connect(t, live.Unix)) })
			t.Run("tcp", func(t *testing.T) { asks(t, connect(t, live.TCP)) })
			t.Run("mtls", func(t *testing.T) { asks(t, connect(t, live.TLS.Address, tls)) })
			t.Run("without a certificate nobody is answered", func(t *testing.T) {
				anonymous := connect(t, live.TLS.Address, authz.WithTLS(authz.TLS{CA: live.TLS.CA}))
				answer, err := anonymous.ServerInfo(t.Context())
				wantKind(t, answer, err, authz.ErrUnavailable)
			})
			t.Run("in the clear nobody is answered where TLS is", func(t *testing.T) {
				answer, err := connect(t, live.TLS.Address, fast).ServerInfo(t.Context())
				wantKind(t, answer, err, authz.ErrUndecided)
			})
			t.Run("an unknown authority is not asked", func(t *testing.T) {
				trusting := connect(t, live.TLS.Address, authz.WithTLS(authz.TLS{
					Certificate: live.TLS.Cert, Key: live.TLS.Key,
				}))
				answer, err := trusting.ServerInfo(t.Context())
				wantKind(t, answer, err, authz.ErrUnavailable)
			})
			t.Run("one of another name is not asked", func(t *testing.T) {
				other := connect(t, live.TLS.Address, authz.WithTLS(authz.TLS{
					CA: live.TLS.CA, Certificate: live.TLS.Cert, Key: live.TLS.Key, ServerName: "other.example",
				}))
				answer, err := other.ServerInfo(t.Context())
				wantKind(t, answer, err, authz.ErrUnavailable)
			})
			t.Run("a stopped one is not waited for", func(t *testing.T) {
				stops(t, live)
			})
		})
	}
}

// asks checks each call once, with what everyone may know of the world.
func asks(t *testing.T, client *authz.Client) {
	ctx := t.Context()
	ann := authz.User("2").InOrganization("20")

	info, err := client.ServerInfo(ctx)
	check(t, err)
	if info.Version == "" || info.Engine == "" {
		t.Errorf("the server is not named: %+v", info)
	}

	resolved, err := client.ResolveContext(ctx, ann)
	check(t, err)
	if resolved.Context.OrgRole != authz.OrgRoleAdmin || *resolved.Context.CurrentPrincipalID != "20" {
		t.Errorf("Ann is not admin of Acme: %+v", resolved.Context)
	}
	contexts, err := client.ListContexts(ctx, ann, authz.FullyConsistent())
	check(t, err)
	if len(contexts.Contexts) < 2 {
		t.Errorf("Ann has no choice: %+v", contexts)
	}

	own := authz.Resource{Kind: "model", ID: "1", Attributes: &authz.Attributes{Owner: authz.OwnedBy("20")}}
	foreign := authz.Resource{Kind: "model", ID: "2", Attributes: &authz.Attributes{Owner: authz.OwnedBy("21")}}
	both := []authz.Resource{own, foreign}
	visible, err := client.CheckVisible(ctx, ann, both, authz.Explain())
	check(t, err)
	if !visible.Each[0].Allowed() || visible.Each[1].Denial() != authz.DenialNotFound || visible.AllAllowed() {
		t.Errorf("Ann sees another: %+v", visible)
	}
	if visible.Each[0].Explanation == nil {
		t.Error("it is not explained")
	}
	var denied *authz.DeniedError
	if err := visible.Require(); !errors.As(err, &denied) || denied.DecisionID != visible.ID+".1" {
		t.Errorf("it is not denied: %v", err)
	}
	writable, err := client.CheckWritable(ctx, ann, both, authz.SkipVisible())
	check(t, err)
	if !writable.Each[0].Allowed() || writable.Each[1].Reason != "OTHER_OWNER" {
		t.Errorf("Ann changes another: %+v", writable)
	}
	creatable, err := client.CheckCreatable(ctx, ann, []authz.NewResource{{Kind: "model", Owner: authz.OwnedBy("20")}})
	check(t, err)
	check(t, creatable.Require())

	role, err := client.CheckRole(ctx, ann, authz.PlatformAdmin{})
	check(t, err)
	if role.Allowed() {
		t.Error("Ann is a platform admin")
	}
	role, err = client.CheckRole(ctx, ann, authz.AnyOrgRole{authz.OrgRoleAdmin})
	check(t, err)
	check(t, role.Require())

	verdict, err := client.Authorize(ctx, ann, []authz.Requirement{
		authz.Visible(own),
		authz.Writable{Resource: own},
		authz.Creatable{Kind: "model", Owner: authz.OwnedBy("20")},
		authz.InRole{Gate: authz.AnyOrgRole{authz.OrgRoleAdmin}},
	})
	check(t, err)
	check(t, verdict.Require())
	if verdict.Context == nil || len(verdict.Each) != 4 {
		t.Errorf("the verdict lacks a part: %+v", verdict)
	}

	permissions, err := client.GetPermissions(ctx, ann, []authz.PermissionQuery{{Context: authz.ContextData, Item: new("orders")}})
	check(t, err)
	if permissions.Each[0].Read.AtLeast(authz.LevelMy) {
		t.Errorf("nobody gave Ann a role: %+v", permissions)
	}
	filter, err := client.GetListFilter(ctx, ann, "model", authz.WithSQL(authz.SQLOptions{
		Columns:      []authz.Column{{Field: authz.FieldOwnerPrincipalID, Column: "m.owner_id"}},
		Placeholders: authz.PlaceholderDollar,
	}))
	check(t, err)
	if filter.Selection == nil || filter.SQL.Text == "" {
		t.Errorf("there is no filter: %+v", filter)
	}
	problems, err := client.ValidateAccessRules(ctx, []authz.AccessRule{{RoleID: "1", Context: authz.ContextData}})
	check(t, err)
	if problems.Problems[0].Reason != "READ_MISSING" {
		t.Errorf("the rule has no problem: %+v", problems)
	}

	var told *authz.Error
	_, err = client.CheckVisible(ctx, ann, []authz.Resource{{ID: "1"}})
	if !errors.Is(err, authz.ErrInvalidRequest) || !errors.As(err, &told) ||
		told.Reason != "MALFORMED_FIELD" || told.Field != "resources[0].kind" {
		t.Errorf("a kind that is missing is not named: %v", err)
	}
	_, err = client.ResolveContext(ctx, ann, authz.AtLeastAsFresh("never"))
	if !errors.Is(err, authz.ErrUnknownRevision) {
		t.Errorf("the revision is known: %v", err)
	}
	_, err = client.ResolveContext(ctx, authz.User("2").InOrganization("21"))
	if !errors.As(err, &told) || told.Kind != authz.ErrPermissionDenied || told.Reason != "NOT_A_MEMBER" {
		t.Errorf("Ann is a member of Globex: %v", err)
	}

	for event, err := range client.Watch(ctx, nil) {
		check(t, err)
		if _, isBeat := event.(authz.Beat); isBeat {
			break
		}
	}
}

// stops checks that nothing waits for a sidecar that does not run, and that it is found
// again when it does.
func stops(t *testing.T, live serving.Sidecar) {
	client := connect(t, live.Unix, authz.WithTimeout(time.Second))
	_, err := client.ServerInfo(t.Context())
	check(t, err)
	check(t, live.Process.Signal(syscall.SIGSTOP))
	before := time.Now()
	answer, err := client.CheckVisible(t.Context(), authz.User("2"), authz.Resources("cluster", "7"))
	check(t, live.Process.Signal(syscall.SIGCONT))
	wantKind(t, answer, err, authz.ErrDeadline)
	if took := time.Since(before); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	_, err = client.ServerInfo(t.Context(), authz.Timeout(10*time.Second))
	check(t, err)
}

func wantKind[A any](t *testing.T, answer *A, err, kind error) {
	t.Helper()
	var told *authz.Error
	if answer != nil || !errors.As(err, &told) || !errors.Is(err, kind) {
		t.Errorf("wanted no answer and %v, got %+v and %v", kind, answer, err)
	}
}
