package authz

import authzv1 "authz.example/clients/go/authzv1"

// RuleContext is the area in which access rules hold.
type RuleContext string

// The areas.
const (
	ContextData     RuleContext = "DATA"
	ContextUI       RuleContext = "UI"
	ContextResource RuleContext = "RESOURCE"
)

// Operation is what is to be done with an item.
type Operation string

// The operations.
const (
	OperationView   Operation = "VIEW"
	OperationRead   Operation = "READ"
	OperationCreate Operation = "CREATE"
	OperationUpdate Operation = "UPDATE"
	OperationDelete Operation = "DELETE"
)

// OrgRole is a member's role in an organization. The zero value is no role.
type OrgRole string

// The roles.
const (
	OrgRoleAdmin OrgRole = "ADMIN"
	OrgRoleUser  OrgRole = "USER"
)

// AccessLevel is how far an operation reaches. It is no number, so that two of them
// cannot be compared by accident: see AtLeast. The zero value is no level, which reaches
// nothing and is reached by nothing.
type AccessLevel struct {
	number authzv1.AccessLevel
}

// The levels, in rising order.
var (
	LevelNone  = AccessLevel{authzv1.AccessLevel_ACCESS_LEVEL_NONE}
	LevelMy    = AccessLevel{authzv1.AccessLevel_ACCESS_LEVEL_MY}
	LevelGroup = AccessLevel{authzv1.AccessLevel_ACCESS_LEVEL_GROUP}
	LevelAll   = AccessLevel{authzv1.AccessLevel_ACCESS_LEVEL_ALL}
)

// AtLeast says whether this level reaches as far as another. With no level on either
// side it does not.
func (l AccessLevel) AtLeast(least AccessLevel) bool {
	unset := authzv1.AccessLevel_ACCESS_LEVEL_UNSPECIFIED
	return l.number != unset && least.number != unset && l.number >= least.number
}

// String is the level's bare name.
func (l AccessLevel) String() string {
	name, err := bare(l.number, "ACCESS_LEVEL_")
	if err != nil {
		return "UNSPECIFIED"
	}
	return name
}
