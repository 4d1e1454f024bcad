package authz

import (
	"time"

	authzv1 "authz.example/clients/go/authzv1"
)

// Answers, as values that say no when nobody filled them. Long, because it is a list: one
// small value for each message of the API.

// Decision is the answer to one check. The zero value denies.
type Decision struct {
	allowed bool
	denial  Denial

	// Reason is the bare name of why.
	Reason string
	// Message says the same for people.
	Message string
	// ID names the decision in logs.
	ID string
	// Explanation is the facts that decided. Nil unless asked for.
	Explanation *authzv1.Explanation
}

// Allowed says whether it is allowed.
func (d Decision) Allowed() bool { return d.allowed && d.denial == "" }

// Denial is the kind of the denial; empty exactly when it is allowed.
func (d Decision) Denial() Denial {
	if !d.Allowed() && d.denial == "" {
		return DenialForbidden
	}
	return d.denial
}

// Require is nil when it is allowed, and otherwise a DeniedError.
func (d Decision) Require() error {
	if d.Allowed() {
		return nil
	}
	return &DeniedError{d.Denial(), d.Reason, d.Message, d.ID}
}

// Decisions is one decision for each question, in their order.
type Decisions struct {
	Each     []Decision
	ID       string
	Revision string
}

// AllAllowed says whether every one is allowed; nothing at all is not allowed.
func (d *Decisions) AllAllowed() bool { return d.Require() == nil }

// Require is nil when all are allowed, and otherwise the DeniedError of the first that is
// denied.
func (d *Decisions) Require() error {
	if d == nil || len(d.Each) == 0 {
		return nothingDecided()
	}
	for _, each := range d.Each {
		if err := each.Require(); err != nil {
			return err
		}
	}
	return nil
}

// CheckedRole is the decision of a role gate.
type CheckedRole struct {
	Decision Decision
	ID       string
	Revision string
}

// Allowed says whether the caller passes.
func (r *CheckedRole) Allowed() bool { return r != nil && r.Decision.Allowed() }

// Require is nil when the caller passes, and otherwise a DeniedError.
func (r *CheckedRole) Require() error {
	if r == nil {
		return nothingDecided()
	}
	return r.Decision.Require()
}

// Authorization is the verdict on all requirements, and on each in their order.
type Authorization struct {
	Decision Decision
	Each     []Decision
	// Context is as which tenant the caller acts. Nil when it did not resolve.
	Context  *TenantContext
	ID       string
	Revision string
}

// Allowed says whether all requirements hold.
func (a *Authorization) Allowed() bool { return a != nil && a.Decision.Allowed() }

// Require is nil when all requirements hold, and otherwise a DeniedError.
func (a *Authorization) Require() error {
	if a == nil {
		return nothingDecided()
	}
	return a.Decision.Require()
}

func nothingDecided() error {
	return &DeniedError{Denial: DenialForbidden, Message: "nothing was decided"}
}

// TenantContext is as which tenant a caller acts. Ids that are not there are nil and not
// empty, so that two of them do not seem equal.
type TenantContext struct {
	UserID                 string
	IsPlatformAdmin        bool
	IsSystem               bool
	CurrentPrincipalID     *string
	OrgRole                OrgRole
	AccessibleClusterIDs   []string
	CurrentIsPersonalScope bool
	Bypass                 bool
	HasOrgContext          bool
	WritePrincipalID       *string
}

// ResolvedContext is a tenant context, and how fresh it is.
type ResolvedContext struct {
	Context  TenantContext
	Revision string
}

// ContextKind is what kind of tenant a context is.
type ContextKind string

// The kinds of contexts.
const (
	KindPersonal     ContextKind = "PERSONAL"
	KindOrganization ContextKind = "ORGANIZATION"
	KindAll          ContextKind = "ALL"
	KindPinned       ContextKind = "PINNED"
)

// AvailableContext is one tenant as which a caller may act.
type AvailableContext struct {
	Kind ContextKind
	// PrincipalID is nil for KindAll.
	PrincipalID *string
	OrgRole     OrgRole
	Name        string
}

// AvailableContexts is personal scope first, then organizations by id, then KindAll.
type AvailableContexts struct {
	Contexts []AvailableContext
	Revision string
}

// Permissions is what roles allow on one item. The zero value allows nothing.
type Permissions struct {
	View   bool
	Read   AccessLevel
	Create AccessLevel
	Update AccessLevel
	Delete AccessLevel
	// Explanation is how they came about. Nil unless asked for.
	Explanation *authzv1.PermissionExplanation
}

// Level is how far an operation reaches; viewing reaches everything or nothing.
func (p Permissions) Level(operation Operation) AccessLevel {
	switch {
	case operation == OperationView && p.View:
		return LevelAll
	case operation == OperationRead:
		return p.Read
	case operation == OperationCreate:
		return p.Create
	case operation == OperationUpdate:
		return p.Update
	case operation == OperationDelete:
		return p.Delete
	default:
		return LevelNone
	}
}

// PermissionsList is the permissions for each query, in their order.
type PermissionsList struct {
	Each     []Permissions
	ID       string
	Revision string
}

// Selection is which rows may be listed: Everything, Nothing, or a Condition.
type Selection interface{ selection() }

// Condition is a condition on rows: AllOf, AnyOf, Equals or In.
type Condition interface {
	Selection
	condition()
}

type (
	// Everything is every row.
	Everything struct{}
	// Nothing is no row.
	Nothing struct{}
	// AllOf is the rows for which all of these hold; at least two.
	AllOf []Condition
	// AnyOf is the rows for which any of these holds; at least two.
	AnyOf []Condition
	// Equals is the rows with this value in a field.
	Equals struct {
		Field Field
		Value string
	}
	// In is the rows with one of these values in a field; at least one.
	In struct {
		Field  Field
		Values []string
	}
)

func (Everything) selection() {}
func (Nothing) selection()    {}
func (AllOf) selection()      {}
func (AnyOf) selection()      {}
func (Equals) selection()     {}
func (In) selection()         {}
func (AllOf) condition()      {}
func (AnyOf) condition()      {}
func (Equals) condition()     {}
func (In) condition()         {}

// ListFilter is which rows a caller may list.
type ListFilter struct {
	Selection Selection
	// SQL is set when it was asked for.
	SQL      *SQLFilter
	Revision string
}

// SQLFilter is a filter as a SQL condition, in parentheses or TRUE or FALSE.
type SQLFilter struct {
	Text string
	// Parameters is int64, string, UUID, or slices of them.
	Parameters []any
}

// UUID is a parameter for a column of that type, in canonical form.
type UUID string

// RuleProblem is one thing that is wrong with a rule; rules are counted from 0.
type RuleProblem struct {
	RuleIndex int
	Field     string
	Reason    string
	Message   string
}

// RuleProblems is what is wrong with rules. Only an answer without an error and without
// problems means that they may be stored.
type RuleProblems struct{ Problems []RuleProblem }

// Position is how much a server has told or heard; only those of one server have an
// order.
type Position struct {
	Server string
	Number uint64
}

// ServerInfo is what a server is.
type ServerInfo struct {
	Version             string
	Engine              string
	ConfigurationDigest string
	// SchemaVersion is nil where the schema is not this project's.
	SchemaVersion *uint32
	// Features is the bare names of what is served; unknown ones are left out.
	Features []string
	// Position, Staleness and MaxStaleness are nil where the server does not tell them.
	Position     *Position
	Staleness    *time.Duration
	MaxStaleness *time.Duration
}

// WatchEvent is one message of Watch: Changes, DropEverything or Beat.
type WatchEvent interface{ watchEvent() }

type (
	// Change is a fact that changed; without a key its whole group did.
	Change struct {
		Group    string
		Key      *string
		Revision string
	}
	// Changes is the facts that changed in one transaction, or in a part of it.
	Changes []Change
	// DropEverything says that changes may have been missed.
	DropEverything struct{ Revision string }
	// Beat is a proof of life; Position says what the stream has told.
	Beat struct {
		Revision  string
		Staleness *time.Duration
		Position  *Position
	}
)

func (Changes) watchEvent()        {}
func (DropEverything) watchEvent() {}
func (Beat) watchEvent()           {}
