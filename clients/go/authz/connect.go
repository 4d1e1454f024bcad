package authz

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Client asks a sidecar, from any number of goroutines. Every method returns within its
// deadline, with an answer or with an error.
type Client struct {
	connection *grpc.ClientConn
	timeout    time.Duration
	budget     *budget
}

// Option is a setting of a Client.
type Option func(*settings)

type settings struct {
	tls     *TLS
	timeout time.Duration
	retry   Retry
}

// WithTLS encrypts the connection; without, it is in the clear.
func WithTLS(tls TLS) Option { return func(s *settings) { s.tls = &tls } }

// WithTimeout bounds each call, repetitions included; one second unless said otherwise.
// A context that ends sooner ends the call sooner.
func WithTimeout(timeout time.Duration) Option {
	return func(s *settings) { s.timeout = timeout }
}

// WithRetry says when a call is made again.
func WithRetry(retry Retry) Option { return func(s *settings) { s.retry = retry } }

// TLS is how a listener proves itself, and how this client does. Each of CA, Certificate
// and Key is the path of a PEM file, read by Connect, or the PEM itself.
type TLS struct {
	// CA is whom to trust. Empty means the system's authorities.
	CA string
	// Certificate and Key go together. Both empty means that the client shows none.
	Certificate string
	Key         string
	// ServerName is the name in the listener's certificate, if not that of the address.
	ServerName string
}

// Connect makes a client; the connection is made with the first question. The target is
// `unix:/run/authz/authz.sock` or `host:port`. Proxies and service configurations from
// the surroundings have no say in who decides.
func Connect(target string, options ...Option) (*Client, error) {
	chosen := settings{timeout: time.Second, retry: DefaultRetry()}
	for _, each := range options {
		each(&chosen)
	}
	if chosen.timeout <= 0 {
		return nil, errors.New("authz: the timeout must be positive")
	}
	address, err := address(target)
	if err != nil {
		return nil, err
	}
	credentials, err := chosen.tls.credentials()
	if err != nil {
		return nil, err
	}
	connection, err := grpc.NewClient(
		address,
		grpc.WithTransportCredentials(credentials),
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		// The library's own repetitions would not know of the budget.
		grpc.WithDisableRetry(),
		// After a restart a sidecar is there within seconds, but the library would look
		// for it once in two minutes.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay:  50 * time.Millisecond,
				Multiplier: 1.6,
				Jitter:     0.2,
				MaxDelay:   time.Second,
			},
			MinConnectTimeout: time.Second,
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("authz: %w", err)
	}
	return &Client{connection, chosen.timeout, newBudget(chosen.retry)}, nil
}

// Close ends the connection, and calls that still run.
func (c *Client) Close() error { return c.connection.Close() }

func address(target string) (string, error) {
	if path, isSocket := strings.CutPrefix(target, "unix:"); isSocket && path != "" {
		return target, nil
	}
	_, port, err := net.SplitHostPort(target)
	if err != nil || port == "" {
		return "", fmt.Errorf("authz: `%s` is neither `unix:` and a path nor `host:port`", target)
	}
	return "passthrough:///" + target, nil
}

func (t *TLS) credentials() (credentials.TransportCredentials, error) {
	if t == nil {
		return insecure.NewCredentials(), nil
	}
	if (t.Certificate == "") != (t.Key == "") {
		return nil, errors.New("authz: `Certificate` and `Key` go together")
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		ca, err := pem(t.CA)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(ca) {
			return nil, errors.New("authz: `CA` has no certificate")
		}
	}
	if t.Certificate != "" {
		pair, err := t.pair()
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(config), nil
}

func (t *TLS) pair() (tls.Certificate, error) {
	certificate, err := pem(t.Certificate)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := pem(t.Key)
	if err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("authz: `Certificate` and `Key` are no pair: %w", err)
	}
	return pair, nil
}

func pem(text string) ([]byte, error) {
	if strings.Contains(text, "-----BEGIN ") {
		return []byte(text), nil
	}
	data, err := os.ReadFile(text)
	if err != nil {
		return nil, fmt.Errorf("authz: %w", err)
	}
	return data, nil
}
