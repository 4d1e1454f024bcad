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
	live := serving.Example(t)
	clients, err := filepath.Abs("../..")
	check(t, err)
	text, err := os.ReadFile(filepath.Join(clients, "go", "README.md"))
	check(t, err)
	top := t.TempDir()
	check(t, os.Symlink(clients, filepath.Join(top, "clients")))
	check(t, os.Mkdir(filepath.Join(top, ".dev"), 0o700))
	check(t, os.Symlink(strings.TrimPrefix(live.Unix, "unix:"), filepath.Join(top, ".dev", "authz.sock")))
	before, program, after := quickStart(t, string(text))
	check(t, os.WriteFile(filepath.Join(top, "main.go"), []byte(program), 0o600))

	command := exec.Command("bash", "-euc", before+"cp ../main.go .\n"+after)
	command.Dir = top
	var told bytes.Buffer
	command.Stderr = &told
	said, err := command.Output()

	if err != nil {
		t.Fatalf("it fails: %v: %s", err, told.String())
	}
	if lines := strings.Split(string(said), "\n"); !strings.HasPrefix(lines[0], "true OWNED ") ||
		!strings.HasPrefix(lines[1], "false RESOURCE_NOT_FOUND ") ||
		lines[2] != "404 authz: denied (RESOURCE_NOT_FOUND): the resource does not exist" {
		t.Errorf("it says: %s", said)
	}
}

// quickStart is the program of the text's first part, and the commands before and after.
func quickStart(t *testing.T, text string) (before, program, after string) {
	t.Helper()
	first, _, _ := strings.Cut(text, "\n## ")
	before, rest, _ := strings.Cut(first, "```go\n")
	program, after, isThere := strings.Cut(rest, "```")
	if !isThere {
		t.Fatal("there is no program")
	}
	return commands(before), program, commands(after)
}

func commands(text string) string {
	var found strings.Builder
	for line := range strings.Lines(text) {
		if command, isCommand := strings.CutPrefix(line, "    "); isCommand {
			found.WriteString(command)
		}
	}
	return found.String()
}
