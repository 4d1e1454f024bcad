package authz

import authzv1 "authz.example/clients/go/authzv1"

// Questions, and the messages that they become. Long, because it is a list: one small
// value for each message of the API.

// Owner is who owns a row; made by OwnedBy and Unowned. The zero value is only for kinds
// without an owner: for others the sidecar refuses it, since an owner that was forgotten
// must not make a row everybody's.
type Owner struct {
	principalID string
	isGiven     bool
	isUnowned   bool
}

// OwnedBy says that a principal owns the row.
func OwnedBy(principalID string) Owner { return Owner{principalID: principalID, isGiven: true} }

// Unowned says that nobody owns the row.
func Unowned() Owner { return Owner{isUnowned: true} }

// Resource is a row; without attributes the sidecar looks it up.
type Resource struct {
	Kind       string
	ID         string
	Attributes *Attributes
}

// Attributes is an existing row as you read it.
type Attributes struct {
	Owner Owner
	// Cluster is nil when the row belongs to none.
	Cluster *string
}

// Resources is rows of one kind, each of which the sidecar looks up.
func Resources(kind string, ids ...string) []Resource {
	made := make([]Resource, len(ids))
	for number, id := range ids {
		made[number] = Resource{Kind: kind, ID: id}
	}
	return made
}

func (r Resource) message() *authzv1.Resource {
	made := &authzv1.Resource{Kind: r.Kind, Id: r.ID}
	if r.Attributes != nil {
		made.Attributes = r.Attributes.message()
	}
	return made
}

func (a *Attributes) message() *authzv1.ResourceAttributes {
	made := &authzv1.ResourceAttributes{ClusterId: a.Cluster}
	switch {
	case a.Owner.isUnowned:
		made.Owner = &authzv1.ResourceAttributes_Global{Global: true}
	case a.Owner.isGiven:
		made.Owner = &authzv1.ResourceAttributes_OwnerPrincipalId{
			OwnerPrincipalId: a.Owner.principalID,
		}
	}
	return made
}

// NewResource is a row that is to be created.
type NewResource struct {
	Kind  string
	Owner Owner
}

func (r NewResource) message() *authzv1.NewResource {
	made := &authzv1.NewResource{Kind: r.Kind}
	switch {
	case r.Owner.isUnowned:
		made.Owner = &authzv1.NewResource_Global{Global: true}
	case r.Owner.isGiven:
		made.Owner = &authzv1.NewResource_OwnerPrincipalId{OwnerPrincipalId: r.Owner.principalID}
	}
	return made
}

// RoleGate is a condition on the caller alone: PlatformAdmin or AnyOrgRole.
type RoleGate interface {
	gate() (*authzv1.RoleGate, error)
}

// PlatformAdmin is the gate that only platform admins pass.
type PlatformAdmin struct{}

// AnyOrgRole is the gate for any of these roles in the current organization.
type AnyOrgRole []OrgRole

func (PlatformAdmin) gate() (*authzv1.RoleGate, error) {
	return &authzv1.RoleGate{Gate: &authzv1.RoleGate_PlatformAdmin{PlatformAdmin: true}}, nil
}

func (roles AnyOrgRole) gate() (*authzv1.RoleGate, error) {
	sent := make([]authzv1.OrgRole, len(roles))
	for number, role := range roles {
		value, err := word(authzv1.OrgRole_value, "ORG_ROLE_", string(role))
		if err != nil {
			return nil, err
		}
		sent[number] = authzv1.OrgRole(value)
	}
	among := &authzv1.OrgRoles{Roles: sent}
	return &authzv1.RoleGate{Gate: &authzv1.RoleGate_AnyOfOrgRoles{AnyOfOrgRoles: among}}, nil
}

func gateMessage(gate RoleGate) (*authzv1.RoleGate, error) {
	if gate == nil {
		return nil, invalidRequest("gate", "there is no gate")
	}
	return gate.gate()
}

// PermissionQuery asks what the caller's roles allow on an item.
type PermissionQuery struct {
	Context RuleContext
	// Item is nil to ask for generic rules only. Empty is refused.
	Item *string
	// FeatureInstanceID is the instance whose roles count too. Nil means none; empty is
	// refused.
	FeatureInstanceID *string
}

func (q PermissionQuery) message() (*authzv1.PermissionQuery, error) {
	area, err := word(authzv1.RuleContext_value, "RULE_CONTEXT_", string(q.Context))
	return &authzv1.PermissionQuery{
		Context:           authzv1.RuleContext(area),
		Item:              q.Item,
		FeatureInstanceId: q.FeatureInstanceID,
	}, err
}

// Requirement is one condition of Authorize: Visible, Writable, Creatable, InRole or
// Permitted.
type Requirement interface {
	requirement() (*authzv1.Requirement, error)
}

// Visible is the requirement that a resource is visible.
type Visible Resource

// Writable is the requirement that a resource is writable.
type Writable struct {
	Resource Resource
	// SkipVisible says that visibility was checked already.
	SkipVisible bool
}

// Creatable is the requirement that a resource may be created.
type Creatable NewResource

// InRole is the requirement that the caller passes a gate.
type InRole struct{ Gate RoleGate }

// Permitted is the requirement that the caller's roles allow an operation.
type Permitted struct {
	Query     PermissionQuery
	Operation Operation
	// Least is the level that the operation needs; not set for OperationView.
	Least AccessLevel
}

func (r Visible) requirement() (*authzv1.Requirement, error) {
	visible := &authzv1.Requirement_Visible{Visible: Resource(r).message()}
	return &authzv1.Requirement{Requirement: visible}, nil
}

func (r Writable) requirement() (*authzv1.Requirement, error) {
	return &authzv1.Requirement{Requirement: &authzv1.Requirement_Writable{
		Writable: &authzv1.WritableRequirement{
			Resource:    r.Resource.message(),
			SkipVisible: r.SkipVisible,
		},
	}}, nil
}

func (r Creatable) requirement() (*authzv1.Requirement, error) {
	creatable := &authzv1.Requirement_Creatable{Creatable: NewResource(r).message()}
	return &authzv1.Requirement{Requirement: creatable}, nil
}

func (r InRole) requirement() (*authzv1.Requirement, error) {
	gate, err := gateMessage(r.Gate)
	return &authzv1.Requirement{Requirement: &authzv1.Requirement_Role{Role: gate}}, err
}

func (r Permitted) requirement() (*authzv1.Requirement, error) {
	query, err := r.Query.message()
	if err != nil {
		return nil, err
	}
	operation, err := word(authzv1.Operation_value, "OPERATION_", string(r.Operation))
	return &authzv1.Requirement{Requirement: &authzv1.Requirement_Permission{
		Permission: &authzv1.PermissionRequirement{
			Query:      query,
			Operation:  authzv1.Operation(operation),
			LeastLevel: r.Least.number,
		},
	}}, err
}

// Field is a column of your rows that a list filter may need.
type Field string

// The fields.
const (
	FieldOwnerPrincipalID Field = "OWNER_PRINCIPAL_ID"
	FieldClusterID        Field = "CLUSTER_ID"
	FieldID               Field = "ID"
	FieldCreatedBy        Field = "CREATED_BY"
	FieldOrganizationID   Field = "ORGANIZATION_ID"
)

// Placeholders is how SQL parameters are written.
type Placeholders string

// The styles: `$1`, `%s`, `?` and `:p1`.
const (
	PlaceholderDollar   Placeholders = "DOLLAR"
	PlaceholderFormat   Placeholders = "FORMAT"
	PlaceholderQuestion Placeholders = "QUESTION"
	PlaceholderNamed    Placeholders = "NAMED"
)

// Column is the column in which a field is found.
type Column struct {
	Field  Field
	Column string
}

// SQLOptions is how a filter's SQL is to look.
type SQLOptions struct {
	Columns      []Column
	Placeholders Placeholders
	// FirstParameter counts from 1; 0 means 1.
	FirstParameter uint32
}

func (o SQLOptions) message() (*authzv1.SqlOptions, error) {
	style, err := word(
		authzv1.PlaceholderStyle_value, "PLACEHOLDER_STYLE_", string(o.Placeholders),
	)
	if err != nil {
		return nil, err
	}
	columns := make([]*authzv1.SqlColumn, len(o.Columns))
	for number, each := range o.Columns {
		field, err := word(authzv1.FilterField_value, "FILTER_FIELD_", string(each.Field))
		if err != nil {
			return nil, err
		}
		columns[number] = &authzv1.SqlColumn{
			Field: authzv1.FilterField(field), Column: each.Column,
		}
	}
	return &authzv1.SqlOptions{
		Columns:          columns,
		PlaceholderStyle: authzv1.PlaceholderStyle(style),
		FirstParameter:   o.FirstParameter,
	}, nil
}

// AccessRule is a rule to be validated; a level that is not set is not sent.
type AccessRule struct {
	RoleID  string
	Context RuleContext
	// Item is nil for a generic rule.
	Item   *string
	View   bool
	Read   AccessLevel
	Create AccessLevel
	Update AccessLevel
	Delete AccessLevel
}

func (r AccessRule) message() (*authzv1.AccessRule, error) {
	area, err := word(authzv1.RuleContext_value, "RULE_CONTEXT_", string(r.Context))
	return &authzv1.AccessRule{
		RoleId:  r.RoleID,
		Context: authzv1.RuleContext(area),
		Item:    r.Item,
		View:    r.View,
		Read:    r.Read.number,
		Create:  r.Create.number,
		Update:  r.Update.number,
		Delete:  r.Delete.number,
	}, err
}

// word is the number of a bare name; the empty one is sent as unspecified.
func word(values map[string]int32, prefix, name string) (int32, error) {
	if name == "" {
		return 0, nil
	}
	number, ok := values[prefix+name]
	if !ok {
		return 0, invalidRequest("", "the question has the unknown word `%s`", name)
	}
	return number, nil
}
