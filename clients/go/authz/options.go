package authz

import (
	"time"

	authzv1 "authz.example/clients/go/authzv1"
)

// asked is how a question is to be answered.
type asked struct {
	timeout           time.Duration
	atLeastAsFresh    *string
	isFullyConsistent bool
	explain           bool
	skipVisible       bool
	permission        *PermissionQuery
	sql               *SQLOptions
}

// The options of calls: what a call takes is what its last parameter says, so that one
// which has no meaning there does not compile.
type (
	// CallOption is an option of every call: Timeout.
	CallOption interface {
		QuestionOption
		forCall()
	}
	// QuestionOption is an option of every question about a caller: AtLeastAsFresh,
	// FullyConsistent, and those of every call.
	QuestionOption interface {
		DecisionOption
		FilterOption
		forQuestion()
	}
	// DecisionOption is an option of questions with a decision: Explain, and those of
	// every question.
	DecisionOption interface {
		WritableOption
		forDecision()
	}
	// WritableOption is an option of CheckWritable: SkipVisible, and those of every
	// question with a decision.
	WritableOption interface {
		apply(*asked)
	}
	// FilterOption is an option of GetListFilter: WithPermission, WithSQL, and those of
	// every question.
	FilterOption interface {
		apply(*asked)
		forFilter()
	}
)

type (
	writableOption func(*asked)
	filterOption   func(*asked)
	decisionOption struct{ writableOption }
	questionOption struct{ decisionOption }
	callOption     struct{ questionOption }
)

func (o writableOption) apply(a *asked) { o(a) }
func (o filterOption) apply(a *asked)   { o(a) }
func (filterOption) forFilter()         {}
func (decisionOption) forDecision()     {}
func (questionOption) forQuestion()     {}
func (questionOption) forFilter()       {}
func (callOption) forCall()             {}

func everywhere(apply func(*asked)) questionOption {
	return questionOption{decisionOption{apply}}
}

// Timeout replaces the client's timeout for one call.
func Timeout(timeout time.Duration) CallOption {
	return callOption{everywhere(func(a *asked) { a.timeout = timeout })}
}

// AtLeastAsFresh asks for an answer that reflects a revision.
func AtLeastAsFresh(revision string) QuestionOption {
	return everywhere(func(a *asked) { a.atLeastAsFresh = &revision })
}

// FullyConsistent asks for an answer from one snapshot of the database.
func FullyConsistent() QuestionOption {
	return everywhere(func(a *asked) { a.isFullyConsistent = true })
}

// Explain asks for the facts that decided.
func Explain() DecisionOption {
	return decisionOption{func(a *asked) { a.explain = true }}
}

// SkipVisible says that visibility was checked already.
func SkipVisible() WritableOption {
	return writableOption(func(a *asked) { a.skipVisible = true })
}

// WithPermission narrows a list filter by the read level of a query of ContextData.
func WithPermission(query PermissionQuery) FilterOption {
	return filterOption(func(a *asked) { a.permission = &query })
}

// WithSQL asks for a list filter as SQL too.
func WithSQL(options SQLOptions) FilterOption {
	return filterOption(func(a *asked) { a.sql = &options })
}

func (a *asked) consistency() (*authzv1.Consistency, error) {
	switch {
	case a.isFullyConsistent && a.atLeastAsFresh != nil:
		return nil, invalidRequest(
			"consistency", "only one of AtLeastAsFresh and FullyConsistent may be asked for",
		)
	case a.isFullyConsistent:
		chosen := &authzv1.Consistency_FullyConsistent{FullyConsistent: true}
		return &authzv1.Consistency{Requirement: chosen}, nil
	case a.atLeastAsFresh != nil:
		chosen := &authzv1.Consistency_AtLeastAsFresh{AtLeastAsFresh: *a.atLeastAsFresh}
		return &authzv1.Consistency{Requirement: chosen}, nil
	default:
		return nil, nil
	}
}
