package authz

import (
	"fmt"
	"log/slog"

	authzv1 "authz.example/clients/go/authzv1"
)

type identity uint8

const (
	identityNone identity = iota
	identityUser
	identitySubject
	identityAPIKey
	identityAccessToken
)

// Caller is who a question is about; made by User, Subject, APIKey and AccessToken. The
// zero value is nobody, whom the sidecar refuses. It prints no credential.
type Caller struct {
	identity     identity
	name         string
	issuer       string
	organization *string
	pinnedTo     *string
}

// User is a user by id, whom the sidecar believes.
func User(userID string) Caller { return Caller{identity: identityUser, name: userID} }

// Subject is a user by their name at an identity provider, whom the sidecar believes.
func Subject(issuer, subject string) Caller {
	return Caller{identity: identitySubject, issuer: issuer, name: subject}
}

// APIKey is whoever owns an API key, which the sidecar checks.
func APIKey(key string) Caller { return Caller{identity: identityAPIKey, name: key} }

// AccessToken is whoever a JWT names, which the sidecar checks.
func AccessToken(token string) Caller { return Caller{identity: identityAccessToken, name: token} }

// InOrganization is the caller with the raw value of X-Organization-Id; empty means that
// no organization is requested.
func (c Caller) InOrganization(organization string) Caller {
	c.organization = &organization
	return c
}

// PinnedTo is the caller pinned to the principal of an API key that you have checked.
// Only for User and Subject.
func (c Caller) PinnedTo(principalID string) Caller {
	c.pinnedTo = &principalID
	return c
}

// IsZero says whether nobody is named.
func (c Caller) IsZero() bool { return c.identity == identityNone }

// String names the caller, without a credential.
func (c Caller) String() string {
	switch c.identity {
	case identityUser:
		return fmt.Sprintf("user %q", c.name)
	case identitySubject:
		return fmt.Sprintf("subject %q of %q", c.name, c.issuer)
	case identityAPIKey:
		return "an API key"
	case identityAccessToken:
		return "an access token"
	default:
		return "nobody"
	}
}

// Format prints String, whatever the verb.
func (c Caller) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, c.String()) }

// LogValue logs String.
func (c Caller) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText writes String, so that JSON shows no credential.
func (c Caller) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c Caller) message() *authzv1.Caller {
	made := &authzv1.Caller{OrganizationId: c.organization, PinnedPrincipalId: c.pinnedTo}
	switch c.identity {
	case identityUser:
		made.Identity = &authzv1.Caller_UserId{UserId: c.name}
	case identitySubject:
		subject := &authzv1.Subject{Issuer: c.issuer, Subject: c.name}
		made.Identity = &authzv1.Caller_Subject{Subject: subject}
	case identityAPIKey:
		made.Identity = &authzv1.Caller_ApiKey{ApiKey: c.name}
	case identityAccessToken:
		made.Identity = &authzv1.Caller_AccessToken{AccessToken: c.name}
	}
	return made
}
