// Package serving starts a live sidecar for tests.
package serving

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// Sidecar is where a live one listens, as clients/conformance/serve.py prints it.
type Sidecar struct {
	Unix string `json:"unix"`
	TCP  string `json:"tcp"`
	TLS  struct {
		Address string `json:"address"`
		CA      string `json:"ca"`
		Cert    string `json:"cert"`
		Key     string `json:"key"`
	} `json:"tls"`

	// Process is that of the sidecar.
	Process *os.Process `json:"-"`
}

// Start starts a sidecar with a world of clients/conformance. CLIENTS_PYTHON names the
// Python that has it; without, the test is skipped.
func Start(t *testing.T, world, engine string) Sidecar {
	t.Helper()
	file := filepath.Join(conformance(), "worlds", world+".yaml")
	return start(t, "--tls", "--engine", engine, "--world", file)
}

// Example starts the sidecar of `make run`, without TLS.
func Example(t *testing.T) Sidecar {
	t.Helper()
	return start(t, "--example")
}

func conformance() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", "..", "conformance")
}

func start(t *testing.T, arguments ...string) Sidecar {
	t.Helper()
	python := os.Getenv("CLIENTS_PYTHON")
	if python == "" {
		t.Skip("CLIENTS_PYTHON is not set")
	}
	script := filepath.Join(conformance(), "serve.py")
	command := exec.Command(python, append([]string{script}, arguments...)...)
	var told bytes.Buffer
	command.Stderr = &told
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGCONT)
		_ = input.Close()
		_ = command.Wait()
	})
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err != nil {
		_ = command.Wait()
		t.Fatalf("the sidecar did not start: %s", told.String())
	}
	started := Sidecar{Process: command.Process}
	if err := json.Unmarshal(line, &started); err != nil {
		t.Fatal(err)
	}
	return started
}
