package authzgrpc

import (
	"fmt"

	"authz.example/clients/go/authz"
	"google.golang.org/grpc/codes"
)

// Rules are the rules of a server's methods, by path such as `/package.Service/Method`.
// A method that is not there is refused.
type Rules map[string]Rule

// Rule is what a method demands. The zero value refuses.
type Rule struct {
	kind         kind
	requirements []authz.Requirement
	forRequest   func(request any) ([]authz.Requirement, error)
}

type kind uint8

const (
	kindNone kind = iota
	kindOpen
	kindTenant
	kindRequires
)

// Open is the rule of a method that anybody may call. Its calls have no tenant.
func Open() Rule { return Rule{kind: kindOpen} }

// Tenant is the rule of a method that whoever has a tenant may call.
func Tenant() Rule { return Rule{kind: kindTenant} }

// Requires is the rule of a method that whoever meets all requirements may call.
func Requires(requirements ...authz.Requirement) Rule {
	return Rule{kind: kindRequires, requirements: requirements}
}

// ForRequest is the rule of a method whose requirements depend on its request, such as a
// resource that it names. Not for methods with a stream of requests.
func ForRequest[M any](requirements func(request M) []authz.Requirement) Rule {
	return Rule{kind: kindRequires, forRequest: func(request any) ([]authz.Requirement, error) {
		message, isIt := request.(M)
		if !isIt {
			return nil, mistake(fmt.Sprintf("the rule is for another request than a %T", request))
		}
		return requirements(message), nil
	}}
}

func (r Rule) demands(request any) ([]authz.Requirement, error) {
	requirements := r.requirements
	if r.forRequest != nil {
		var err error
		if requirements, err = r.forRequest(request); err != nil {
			return nil, err
		}
	}
	if len(requirements) == 0 {
		return nil, mistake("the rule requires nothing")
	}
	return requirements, nil
}

// mistake is one in the rules or in a handler: nobody decided.
func mistake(message string) error {
	return &authz.Error{Kind: authz.ErrInternal, Code: codes.Internal, Message: message}
}
