package statemachine_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLint asks a validator of the Amazon States Language. Two findings are gaps
// of the validator, as the documentation of AWS has both: Label of a Distributed
// Map, and InputType of its reader. JSON tells no whole number from a float, so
// its FLOAT check is off.
func TestLint(t *testing.T) {
	for name, gaps := range map[string]int{definition: 6, replayDefinition: 0} {
		t.Run(name, func(t *testing.T) { lint(t, name, gaps) })
	}
}

// lint validates a definition, of which so many gaps of the validator are known.
func lint(t *testing.T, definition string, known int) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the validator of PyPI, which -short does without")
	}
	command := strings.Fields(os.Getenv("STATELINT"))
	if len(command) == 0 {
		t.Fatal("STATELINT is not set: it names the command of the validator; `make test` sets it.")
	}
	text, err := os.ReadFile(definition)
	if err != nil {
		t.Fatal(err)
	}
	filled := regexp.MustCompile(`\$\{(\w+)FunctionArn\}`).ReplaceAll(text, []byte("arn:aws:lambda:eu-west-3:111122223333:function:$1"))
	filled = []byte(strings.ReplaceAll(string(filled), "${Partition}", "aws"))
	if strings.Contains(string(filled), "${") {
		t.Error("a placeholder was not filled in")
	}
	path := filepath.Join(t.TempDir(), "machine.json")
	if err := os.WriteFile(path, filled, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), command[0], append(command[1:], "--ignore=FLOAT", path)...).CombinedOutput()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		t.Fatalf("%s: %v", strings.Join(command, " "), err)
	}
	gap := regexp.MustCompile(`^Field "Label" not allowed in State Machine\.States\.(Raw|Enrich\.ItemProcessor\.States\.EnrichSource|Events)$|` +
		`^Field "InputType" not allowed in State Machine\.States\.(Raw|Enrich\.ItemProcessor\.States\.EnrichSource|Events)\.ItemReader\.ReaderConfig$`)
	heading, gaps := regexp.MustCompile(`^(One error|\d+ errors):$`), 0
	for line := range strings.Lines(string(out)) {
		switch line = strings.TrimSpace(line); {
		case gap.MatchString(line):
			gaps++
		case line != "" && !heading.MatchString(line):
			t.Error(line)
		}
	}
	if gaps != known {
		t.Errorf("the validator reports %d of its %d known gaps: is it the one of PyPI?\n%s", gaps, known, out)
	}
}
