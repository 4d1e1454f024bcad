package authz

import (
	"strconv"
	"strings"
	"time"

	authzv1 "authz.example/clients/go/authzv1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
)

// From messages to answers. A field that is missing, a word that is not known, a number
// of answers that is not the number of questions: none of it may come out as an answer.
//
// Long, because it is a list: one short function for each message.

// Which reasons go with yes and which with no is part of the contract; a reason in
// neither set is one that a decision cannot have.
var reasons = map[authzv1.Reason]bool{
	authzv1.Reason_REASON_OWNED:                   true,
	authzv1.Reason_REASON_GRANTED:                 true,
	authzv1.Reason_REASON_GLOBAL_VISIBLE:          true,
	authzv1.Reason_REASON_BYPASS_SYSTEM:           true,
	authzv1.Reason_REASON_BYPASS_PLATFORM_ADMIN:   true,
	authzv1.Reason_REASON_ORG_ADMIN:               true,
	authzv1.Reason_REASON_ACTING_PLATFORM_ADMIN:   true,
	authzv1.Reason_REASON_PLATFORM_ADMIN:          true,
	authzv1.Reason_REASON_ORG_ROLE:                true,
	authzv1.Reason_REASON_PERMITTED:               true,
	authzv1.Reason_REASON_ALL_HOLD:                true,
	authzv1.Reason_REASON_INVALID_CREDENTIAL:      false,
	authzv1.Reason_REASON_INVALID_ORGANIZATION_ID: false,
	authzv1.Reason_REASON_UNKNOWN_RESOURCE_KIND:   false,
	authzv1.Reason_REASON_NOT_A_MEMBER:            false,
	authzv1.Reason_REASON_ORGANIZATION_NOT_FOUND:  false,
	authzv1.Reason_REASON_RESOURCE_NOT_FOUND:      false,
	authzv1.Reason_REASON_GLOBAL_RESOURCE:         false,
	authzv1.Reason_REASON_OTHER_OWNER:             false,
	authzv1.Reason_REASON_INSUFFICIENT_ORG_ROLE:   false,
	authzv1.Reason_REASON_PLATFORM_ADMIN_REQUIRED: false,
	authzv1.Reason_REASON_NO_ORG_CONTEXT:          false,
	authzv1.Reason_REASON_INSUFFICIENT_PERMISSION: false,
}

func readContext(message *authzv1.ResolveContextResponse) (*ResolvedContext, error) {
	context, err := readTenant(message.GetContext())
	if err != nil {
		return nil, err
	}
	return &ResolvedContext{*context, message.GetRevision()}, nil
}

func readContexts(message *authzv1.ListContextsResponse) (*AvailableContexts, error) {
	contexts, err := readEach(message.GetContexts(), readAvailable)
	if err != nil {
		return nil, err
	}
	return &AvailableContexts{contexts, message.GetRevision()}, nil
}

type decided interface {
	GetDecisions() []*authzv1.Decision
	GetDecisionId() string
	GetRevision() string
}

func readDecisions[M decided](count int) func(M) (*Decisions, error) {
	return func(message M) (*Decisions, error) {
		each, err := readNumbered(message.GetDecisions(), message.GetDecisionId(), count)
		if err != nil {
			return nil, err
		}
		return &Decisions{each, message.GetDecisionId(), message.GetRevision()}, nil
	}
}

func readRole(message *authzv1.CheckRoleResponse) (*CheckedRole, error) {
	id := message.GetDecisionId()
	if id == "" {
		return nil, lacks("decision_id")
	}
	decision, err := readDecision(message.GetDecision(), id)
	if err != nil {
		return nil, err
	}
	return &CheckedRole{decision, id, message.GetRevision()}, nil
}

func readAuthorization(count int) func(*authzv1.AuthorizeResponse) (*Authorization, error) {
	return func(message *authzv1.AuthorizeResponse) (*Authorization, error) {
		id := message.GetDecisionId()
		each, err := readNumbered(message.GetDecisions(), id, count)
		if err != nil {
			return nil, err
		}
		verdict, err := readDecision(message.GetDecision(), id)
		if err != nil {
			return nil, err
		}
		all := Decisions{Each: each}
		if verdict.Allowed() != all.AllAllowed() {
			return nil, protocolError("the answer's verdict is not that of its decisions")
		}
		var context *TenantContext
		if message.Context != nil || verdict.Allowed() {
			if context, err = readTenant(message.GetContext()); err != nil {
				return nil, err
			}
		}
		return &Authorization{verdict, each, context, id, message.GetRevision()}, nil
	}
}

func readPermissionsList(count int) func(*authzv1.GetPermissionsResponse) (*PermissionsList, error) {
	return func(message *authzv1.GetPermissionsResponse) (*PermissionsList, error) {
		id := message.GetDecisionId()
		if id == "" {
			return nil, lacks("decision_id")
		}
		if err := counts(len(message.GetPermissions()), count); err != nil {
			return nil, err
		}
		each, err := readEach(message.GetPermissions(), readPermissions)
		if err != nil {
			return nil, err
		}
		return &PermissionsList{each, id, message.GetRevision()}, nil
	}
}

func readProblems(count int) func(*authzv1.ValidateAccessRulesResponse) (*RuleProblems, error) {
	return func(message *authzv1.ValidateAccessRulesResponse) (*RuleProblems, error) {
		problems, err := readEach(message.GetProblems(), func(each *authzv1.AccessRuleProblem) (RuleProblem, error) {
			if uint64(each.GetRuleIndex()) >= uint64(count) {
				return RuleProblem{}, protocolError("the answer is about a rule that was not sent")
			}
			reason, err := bare(each.GetReason(), "ACCESS_RULE_FAULT_")
			return RuleProblem{int(each.GetRuleIndex()), each.GetField(), reason, each.GetMessage()}, err
		})
		if err != nil {
			return nil, err
		}
		return &RuleProblems{problems}, nil
	}
}

func readServerInfo(message *authzv1.GetServerInfoResponse) (*ServerInfo, error) {
	staleness, err := readDuration(message.GetStaleness())
	if err != nil {
		return nil, err
	}
	maxStaleness, err := readDuration(message.GetMaxStaleness())
	if err != nil {
		return nil, err
	}
	features := []string{}
	for _, each := range message.GetFeatures() {
		if name, err := bare(each, "OPTIONAL_FEATURE_"); err == nil {
			features = append(features, name)
		}
	}
	return &ServerInfo{
		Version:             message.GetVersion(),
		Engine:              message.GetEngine(),
		ConfigurationDigest: message.GetConfigurationDigest(),
		SchemaVersion:       message.SchemaVersion,
		Features:            features,
		Position:            readPosition(message.GetPosition()),
		Staleness:           staleness,
		MaxStaleness:        maxStaleness,
	}, nil
}

func readWatchEvent(message *authzv1.WatchResponse) (WatchEvent, error) {
	switch event := message.GetEvent().(type) {
	case *authzv1.WatchResponse_Changes_:
		changes := make(Changes, len(event.Changes.GetChanges()))
		for number, each := range event.Changes.GetChanges() {
			changes[number] = Change{each.GetGroup(), each.Key, each.GetRevision()}
		}
		return changes, nil
	case *authzv1.WatchResponse_DropEverything_:
		return DropEverything{event.DropEverything.GetRevision()}, nil
	case *authzv1.WatchResponse_Beat_:
		staleness, err := readDuration(event.Beat.GetStaleness())
		if err != nil {
			return nil, err
		}
		return Beat{event.Beat.GetRevision(), staleness, readPosition(event.Beat.GetPosition())}, nil
	default:
		// It may be news of a change that a newer server tells in another way.
		return nil, protocolError("the stream has a message that is not known here")
	}
}

func readNumbered(found []*authzv1.Decision, id string, count int) ([]Decision, error) {
	if id == "" {
		return nil, lacks("decision_id")
	}
	if err := counts(len(found), count); err != nil {
		return nil, err
	}
	made := make([]Decision, len(found))
	for number, each := range found {
		var err error
		if made[number], err = readDecision(each, id+"."+strconv.Itoa(number)); err != nil {
			return nil, err
		}
	}
	return made, nil
}

func readDecision(message *authzv1.Decision, id string) (Decision, error) {
	if message == nil {
		return Decision{}, lacks("decision")
	}
	denial := ""
	if message.GetDenial() != authzv1.Denial_DENIAL_UNSPECIFIED {
		var err error
		if denial, err = bare(message.GetDenial(), "DENIAL_"); err != nil {
			return Decision{}, err
		}
	}
	if message.GetAllowed() == (denial != "") {
		return Decision{}, protocolError("the answer has a decision that both allows and denies")
	}
	allows, isKnown := reasons[message.GetReason()]
	if !isKnown || allows != message.GetAllowed() {
		return Decision{}, protocolError("the answer has a decision with the reason `%v`", message.GetReason())
	}
	return Decision{
		allowed:     message.GetAllowed(),
		denial:      Denial(denial),
		Reason:      strings.TrimPrefix(message.GetReason().String(), "REASON_"),
		Message:     message.GetMessage(),
		ID:          id,
		Explanation: message.GetExplanation(),
	}, nil
}

func readTenant(message *authzv1.TenantContext) (*TenantContext, error) {
	if message == nil {
		return nil, lacks("context")
	}
	if message.GetUserId() == "" {
		return nil, lacks("context.user_id")
	}
	role, err := readOrgRole(message.OrgRole)
	if err != nil {
		return nil, err
	}
	return &TenantContext{
		UserID:                 message.GetUserId(),
		IsPlatformAdmin:        message.GetIsPlatformAdmin(),
		IsSystem:               message.GetIsSystem(),
		CurrentPrincipalID:     message.CurrentPrincipalId,
		OrgRole:                role,
		AccessibleClusterIDs:   message.GetAccessibleClusterIds(),
		CurrentIsPersonalScope: message.GetCurrentIsPersonalScope(),
		Bypass:                 message.GetBypass(),
		HasOrgContext:          message.GetHasOrgContext(),
		WritePrincipalID:       message.WritePrincipalId,
	}, nil
}

func readAvailable(message *authzv1.AvailableContext) (AvailableContext, error) {
	kind, err := bare(message.GetKind(), "CONTEXT_KIND_")
	if err != nil {
		return AvailableContext{}, err
	}
	role, err := readOrgRole(message.OrgRole)
	return AvailableContext{ContextKind(kind), message.PrincipalId, role, message.GetName()}, err
}

func readOrgRole(role *authzv1.OrgRole) (OrgRole, error) {
	if role == nil {
		return "", nil
	}
	name, err := bare(*role, "ORG_ROLE_")
	return OrgRole(name), err
}

func readPermissions(message *authzv1.Permissions) (Permissions, error) {
	for _, each := range []authzv1.AccessLevel{
		message.GetRead(), message.GetCreate(), message.GetUpdate(), message.GetDelete(),
	} {
		if _, err := bare(each, "ACCESS_LEVEL_"); err != nil {
			return Permissions{}, err
		}
	}
	return Permissions{
		View:        message.GetView(),
		Read:        AccessLevel{message.GetRead()},
		Create:      AccessLevel{message.GetCreate()},
		Update:      AccessLevel{message.GetUpdate()},
		Delete:      AccessLevel{message.GetDelete()},
		Explanation: message.GetExplanation(),
	}, nil
}

func readPosition(message *authzv1.WatchPosition) *Position {
	if message.GetServer() == "" {
		return nil
	}
	return &Position{message.GetServer(), message.GetNumber()}
}

func readDuration(message *durationpb.Duration) (*time.Duration, error) {
	if message == nil {
		return nil, nil
	}
	if err := message.CheckValid(); err != nil {
		return nil, protocolError("the answer has a duration that is none")
	}
	return new(message.AsDuration()), nil
}

func readEach[M, A any](messages []M, read func(M) (A, error)) ([]A, error) {
	made := make([]A, len(messages))
	for number, each := range messages {
		var err error
		if made[number], err = read(each); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// bare is a value's name without its prefix; an unknown or unspecified one is no answer.
func bare(value protoreflect.Enum, prefix string) (string, error) {
	number := value.Number()
	found := value.Descriptor().Values().ByNumber(number)
	if found == nil || number == 0 {
		return "", protocolError("the answer has the unknown number %d", number)
	}
	return strings.TrimPrefix(string(found.Name()), prefix), nil
}

func counts(found, wanted int) error {
	if found != wanted || found == 0 {
		return protocolError("the answer has %d parts instead of %d", found, wanted)
	}
	return nil
}

func lacks(field string) error { return protocolError("the answer lacks `%s`", field) }

func decoded(data []byte, into proto.Message) error {
	if err := proto.Unmarshal(data, into); err != nil {
		return protocolError("the answer is no message of this API")
	}
	return nil
}
