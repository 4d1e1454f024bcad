"""Why something was allowed, denied or not decided: the public words of it.

The names are those of `authz.v1.Reason`, `Denial` and `AccessRuleFault`, whose
comments in the proto say what each means.
"""

from enum import Enum, unique


@unique
class Denial(Enum):
    """The kind of a denial."""

    # Members are singletons: hashing by identity is right, and decisions are
    # hashed for every element of a call.
    __hash__ = object.__hash__

    INVALID = "INVALID"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"


@unique
class Reason(Enum):
    """One reason; `text` is what people read, and says no more than the name."""

    __hash__ = object.__hash__

    OWNED = "the current principal owns the resource"
    GRANTED = "the cluster is granted in this context"
    GLOBAL_VISIBLE = "a global resource is visible to everyone"
    BYPASS_SYSTEM = "a system user sees and changes everything"
    BYPASS_PLATFORM_ADMIN = "a platform admin in All mode may do this"
    ORG_ADMIN = "an admin of the organization may do this"
    ACTING_PLATFORM_ADMIN = "a platform admin acting in a tenant may do this"
    PLATFORM_ADMIN = "the caller is a platform admin"
    ORG_ROLE = "the caller has one of the required organization roles"
    PERMITTED = "the caller's roles allow this"
    ALL_HOLD = "all requirements hold"

    INVALID_CREDENTIAL = "the credential is not valid"
    INVALID_ORGANIZATION_ID = "the organization id is malformed"
    UNKNOWN_RESOURCE_KIND = "this kind of resource is not declared"
    NOT_A_MEMBER = "the caller is not a member of the organization"
    ORGANIZATION_NOT_FOUND = "the organization does not exist"
    RESOURCE_NOT_FOUND = "the resource does not exist"
    GLOBAL_RESOURCE = "a global resource belongs to no tenant"
    OTHER_OWNER = "another principal is the owner"
    INSUFFICIENT_ORG_ROLE = "the caller's organization role does not suffice"
    PLATFORM_ADMIN_REQUIRED = "only a platform admin may do this"
    NO_ORG_CONTEXT = "the caller acts in no organization"
    INSUFFICIENT_PERMISSION = "the caller's roles do not allow this"
    PATH_NOT_CANONICAL = "the path is not in canonical form"
    NO_ROUTE = "no route is declared for this method and path"
    UNKNOWN_RULE_SET = "there is no such set of rules"
    CREDENTIAL_MISSING = "a credential is required"
    TWO_CREDENTIALS = "there is more than one credential"
    REPEATED_HEADER = "a header that must have one value has several"
    VALUE_NOT_USABLE = "a value that decides is missing or malformed"
    IDENTITY_NOT_SENDABLE = "the caller's ids cannot be sent in headers"

    MALFORMED_FIELD = "a field of the request is malformed"
    MALFORMED_MESSAGE = "the message cannot be decoded"
    UNKNOWN_REVISION = "the revision is malformed or of another history"
    NOT_SERVED_HERE = "this listener does not serve that"
    NOT_IMPLEMENTED = "the server does not have that yet"
    FACTS_UNAVAILABLE = "could not decide: the facts cannot be read"
    DEADLINE_TOO_NEAR = "could not decide: too little time is left"
    OVERLOADED = "could not decide: too much is asked at once"
    INTERNAL = "could not decide: the server has a defect"
    PEER_NOT_ALLOWED = "the certificate has no name that may call here"
    WATCHER_TOO_SLOW = "the client takes the stream's messages too slowly"

    @property
    def text(self) -> str:
        """The reason as a sentence for people, without a full stop."""
        return self.value


@unique
class RuleFault(Enum):
    """What can be wrong with an access rule."""

    READ_MISSING = "a DATA rule needs a read level"
    EXCEEDS_READ = "an operation must not reach further than read"
    MALFORMED_ITEM = "an item is non-empty segments without blanks, joined by `.`"
    DUPLICATE = "the role has a rule for this context and item already"
    UNKNOWN_LEVEL = "the level is none of n, m, g, a"
    UNKNOWN_CONTEXT = "the context is none of DATA, UI, RESOURCE"
    VIEW_MISSING = "view must be true or false"

    @property
    def text(self) -> str:
        """The fault as a sentence for people, without a full stop."""
        return self.value
