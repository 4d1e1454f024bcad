package main

import (
	"context"
	"fmt"

	"authz.example/clients/go/authz"
)

// request is any request of the API in bare JSON: what the call lacks is not set.
type request struct {
	Caller       caller            `json:"caller"`
	Consistency  consistency       `json:"consistency"`
	Explain      bool              `json:"explain"`
	SkipVisible  bool              `json:"skip_visible"`
	Resources    []resource        `json:"resources"`
	Gate         *gate             `json:"gate"`
	Queries      []permissionQuery `json:"queries"`
	Requirements []requirement     `json:"requirements"`
	Kind         string            `json:"kind"`
	Permission   *permissionQuery  `json:"permission"`
	SQL          *sqlOptions       `json:"sql"`
	Rules        []accessRule      `json:"rules"`
}

type caller struct {
	UserID      *string `json:"user_id"`
	APIKey      *string `json:"api_key"`
	AccessToken *string `json:"access_token"`
	Subject     *struct {
		Issuer  string `json:"issuer"`
		Subject string `json:"subject"`
	} `json:"subject"`
	OrganizationID    *string `json:"organization_id"`
	PinnedPrincipalID *string `json:"pinned_principal_id"`
}

type consistency struct {
	MinimizeLatency bool    `json:"minimize_latency"`
	AtLeastAsFresh  *string `json:"at_least_as_fresh"`
	FullyConsistent bool    `json:"fully_consistent"`
}

type owner struct {
	OwnerPrincipalID *string `json:"owner_principal_id"`
	Global           bool    `json:"global"`
}

// resource is an existing one, which may have attributes, or a new one with an owner.
type resource struct {
	owner
	Kind       string `json:"kind"`
	ID         string `json:"id"`
	Attributes *struct {
		owner
		ClusterID *string `json:"cluster_id"`
	} `json:"attributes"`
}

type gate struct {
	PlatformAdmin bool `json:"platform_admin"`
	AnyOfOrgRoles *struct {
		Roles []authz.OrgRole `json:"roles"`
	} `json:"any_of_org_roles"`
}

type permissionQuery struct {
	Context           authz.RuleContext `json:"context"`
	Item              *string           `json:"item"`
	FeatureInstanceID *string           `json:"feature_instance_id"`
}

type requirement struct {
	Visible  *resource `json:"visible"`
	Writable *struct {
		Resource    resource `json:"resource"`
		SkipVisible bool     `json:"skip_visible"`
	} `json:"writable"`
	Creatable  *resource `json:"creatable"`
	Role       *gate     `json:"role"`
	Permission *struct {
		Query      permissionQuery `json:"query"`
		Operation  authz.Operation `json:"operation"`
		LeastLevel string          `json:"least_level"`
	} `json:"permission"`
}

type sqlOptions struct {
	Columns          []authz.Column     `json:"columns"`
	PlaceholderStyle authz.Placeholders `json:"placeholder_style"`
	FirstParameter   uint32             `json:"first_parameter"`
}

type accessRule struct {
	RoleID  string            `json:"role_id"`
	Context authz.RuleContext `json:"context"`
	Item    *string           `json:"item"`
	View    bool              `json:"view"`
	Read    string            `json:"read"`
	Create  string            `json:"create"`
	Update  string            `json:"update"`
	Delete  string            `json:"delete"`
}

// ask asks through the client's API, and gives the answer in bare JSON; nil with an
// error.
func ask(ctx context.Context, client *authz.Client, call string, r request) (row, error) {
	who := r.Caller.ask()
	question := r.Consistency.options()
	decision := widen[authz.DecisionOption](question)
	if r.Explain {
		decision = append(decision, authz.Explain())
	}
	switch call {
	case "ResolveContext":
		return tell(tellResolved)(client.ResolveContext(ctx, who, question...))
	case "ListContexts":
		return tell(tellContexts)(client.ListContexts(ctx, who, question...))
	case "CheckVisible":
		return tell(tellDecisions)(client.CheckVisible(ctx, who, each(r.Resources, resource.ask), decision...))
	case "CheckWritable":
		writable := widen[authz.WritableOption](decision)
		if r.SkipVisible {
			writable = append(writable, authz.SkipVisible())
		}
		return tell(tellDecisions)(client.CheckWritable(ctx, who, each(r.Resources, resource.ask), writable...))
	case "CheckCreatable":
		return tell(tellDecisions)(client.CheckCreatable(ctx, who, each(r.Resources, resource.create), decision...))
	case "CheckRole":
		return tell(tellRole)(client.CheckRole(ctx, who, r.Gate.ask(), decision...))
	case "GetPermissions":
		return tell(tellPermissions)(client.GetPermissions(ctx, who, each(r.Queries, permissionQuery.ask), decision...))
	case "Authorize":
		return tell(tellAuthorization)(client.Authorize(ctx, who, each(r.Requirements, requirement.ask), decision...))
	case "GetListFilter":
		filter := widen[authz.FilterOption](question)
		if r.Permission != nil {
			filter = append(filter, authz.WithPermission(r.Permission.ask()))
		}
		if r.SQL != nil {
			filter = append(filter, authz.WithSQL(authz.SQLOptions{
				Columns:        r.SQL.Columns,
				Placeholders:   r.SQL.PlaceholderStyle,
				FirstParameter: r.SQL.FirstParameter,
			}))
		}
		return tell(tellListFilter)(client.GetListFilter(ctx, who, r.Kind, filter...))
	case "ValidateAccessRules":
		return tell(tellProblems)(client.ValidateAccessRules(ctx, each(r.Rules, accessRule.ask)))
	default:
		return nil, fmt.Errorf("`%s` is no call", call)
	}
}

func (c caller) ask() authz.Caller {
	var made authz.Caller
	switch {
	case c.UserID != nil:
		made = authz.User(*c.UserID)
	case c.Subject != nil:
		made = authz.Subject(c.Subject.Issuer, c.Subject.Subject)
	case c.APIKey != nil:
		made = authz.APIKey(*c.APIKey)
	case c.AccessToken != nil:
		made = authz.AccessToken(*c.AccessToken)
	}
	if c.OrganizationID != nil {
		made = made.InOrganization(*c.OrganizationID)
	}
	if c.PinnedPrincipalID != nil {
		made = made.PinnedTo(*c.PinnedPrincipalID)
	}
	return made
}

func (c consistency) options() []authz.QuestionOption {
	var made []authz.QuestionOption
	if c.AtLeastAsFresh != nil {
		made = append(made, authz.AtLeastAsFresh(*c.AtLeastAsFresh))
	}
	if c.FullyConsistent {
		made = append(made, authz.FullyConsistent())
	}
	return made
}

func (o owner) ask() authz.Owner {
	switch {
	case o.OwnerPrincipalID != nil:
		return authz.OwnedBy(*o.OwnerPrincipalID)
	case o.Global:
		return authz.Unowned()
	default:
		return authz.Owner{}
	}
}

func (r resource) ask() authz.Resource {
	made := authz.Resource{Kind: r.Kind, ID: r.ID}
	if r.Attributes != nil {
		made.Attributes = &authz.Attributes{
			Owner: r.Attributes.owner.ask(), Cluster: r.Attributes.ClusterID,
		}
	}
	return made
}

func (r resource) create() authz.NewResource {
	return authz.NewResource{Kind: r.Kind, Owner: r.owner.ask()}
}

func (g *gate) ask() authz.RoleGate {
	switch {
	case g == nil:
		return nil
	case g.PlatformAdmin:
		return authz.PlatformAdmin{}
	case g.AnyOfOrgRoles != nil:
		return authz.AnyOrgRole(g.AnyOfOrgRoles.Roles)
	default:
		return nil
	}
}

func (q permissionQuery) ask() authz.PermissionQuery {
	return authz.PermissionQuery{
		Context: q.Context, Item: q.Item, FeatureInstanceID: q.FeatureInstanceID,
	}
}

func (r requirement) ask() authz.Requirement {
	switch {
	case r.Visible != nil:
		return authz.Visible(r.Visible.ask())
	case r.Writable != nil:
		return authz.Writable{
			Resource: r.Writable.Resource.ask(), SkipVisible: r.Writable.SkipVisible,
		}
	case r.Creatable != nil:
		return authz.Creatable(r.Creatable.create())
	case r.Role != nil:
		return authz.InRole{Gate: r.Role.ask()}
	case r.Permission != nil:
		return authz.Permitted{
			Query:     r.Permission.Query.ask(),
			Operation: r.Permission.Operation,
			Least:     levels[r.Permission.LeastLevel],
		}
	default:
		return nil
	}
}

func (r accessRule) ask() authz.AccessRule {
	return authz.AccessRule{
		RoleID:  r.RoleID,
		Context: r.Context,
		Item:    r.Item,
		View:    r.View,
		Read:    levels[r.Read],
		Create:  levels[r.Create],
		Update:  levels[r.Update],
		Delete:  levels[r.Delete],
	}
}

// levels has no entry for a level that is not set: it is the zero value then.
var levels = map[string]authz.AccessLevel{
	"NONE": authz.LevelNone, "MY": authz.LevelMy, "GROUP": authz.LevelGroup, "ALL": authz.LevelAll,
}

func each[J, Q any](rows []J, ask func(J) Q) []Q {
	made := make([]Q, len(rows))
	for number, one := range rows {
		made[number] = ask(one)
	}
	return made
}

// widen takes options for calls that take further ones too.
func widen[W any, N any](options []N) []W {
	made := make([]W, len(options))
	for number, one := range options {
		made[number] = any(one).(W)
	}
	return made
}
