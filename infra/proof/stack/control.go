package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Settings say which local stack is meant, and with what it is started.
type Settings struct {
	Folder      string   // LOCAL_DIR
	Name        string   // of the CloudFormation stack
	Parameters  string   // of the template, "Name=value Name=value"; empty for those of the environment
	Environment []string // further variables of stack.py, NAME=value
}

// Control runs a command of infra/local/stack.py, such as "up", "down" or "reset".
func (s Settings) Control(ctx context.Context, command string) error {
	cmd := exec.CommandContext(ctx, "python3", "infra/local/stack.py", command) //nolint:gosec // our own words
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.Env = s.environment(os.Environ())
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("stack.py %s: %w", command, err)
	}
	return nil
}

// environment adds the settings to what is inherited, without the database and the
// emulator of another stack. Of two variables of one name the last counts.
func (s Settings) environment(inherited []string) []string {
	env := slices.DeleteFunc(slices.Clone(inherited), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return name == "DATABASE_URL" || name == "AWS_ENDPOINT_URL"
	})
	env = append(env, "LOCAL_DIR="+s.Folder, "LOCAL_STACK_NAME="+s.Name)
	if s.Parameters != "" {
		env = append(env, "LOCAL_PARAMETERS="+s.Parameters)
	}
	return append(env, s.Environment...)
}
