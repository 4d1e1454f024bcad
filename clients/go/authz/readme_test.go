package authz_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"authz.example/clients/go/internal/serving"
)

// The quick start is tried as it is written.
func TestReadme(t *testing.T) {
	live := serving.Start(t, "tenancy", "native")
	module, err := filepath.Abs("..")
	check(t, err)
	text, err := os.ReadFile(filepath.Join(module, "README.md"))
	check(t, err)
	shell, program := quickStart(t, string(text))
	folder := t.TempDir()
	check(t, os.Symlink(strings.TrimPrefix(live.Unix, "unix:"), filepath.Join(folder, "authz.sock")))
	check(t, os.WriteFile(filepath.Join(folder, "main.go"), []byte(program), 0o600))

	command := exec.Command("bash", "-euc", strings.ReplaceAll(shell, "/path/to/clients/go", module))
	command.Dir = folder
	var told bytes.Buffer
	command.Stderr = &told
	said, err := command.Output()

	if err != nil {
		t.Fatalf("it fails: %v: %s", err, told.String())
	}
	if lines := strings.Split(string(said), "\n"); !strings.HasPrefix(lines[0], "false RESOURCE_NOT_FOUND ") ||
		lines[2] != "404 authz: denied (RESOURCE_NOT_FOUND): the resource does not exist" {
		t.Errorf("it says: %s", said)
	}
}

// quickStart is the commands and the program of the text's first part.
func quickStart(t *testing.T, text string) (string, string) {
	t.Helper()
	first, _, _ := strings.Cut(text, "\n## ")
	before, rest, _ := strings.Cut(first, "```go\n")
	program, after, isThere := strings.Cut(rest, "```")
	if !isThere {
		t.Fatal("there is no program")
	}
	var commands []string
	for line := range strings.Lines(before + after) {
		if command, isCommand := strings.CutPrefix(line, "    "); isCommand {
			commands = append(commands, command)
		}
	}
	return strings.Join(commands, ""), program
}
