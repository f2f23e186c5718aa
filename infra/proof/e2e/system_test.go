//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/contract"
)

// system is the local stack under test. Its methods end the test where those of
// the stack return an error.
type system struct {
	*stack.Stack
	dir      string // for the files of the tests; it outlives each of them
	contract *contract.Package
	db       *pgxpool.Pool
	queue    string  // URL of the queue that receives the alerts
	alerts   []alert // received since the stack is up
}

// open connects to the stack of E2E_ENV. The test then runs in the repository's root.
func open(t *testing.T) *system {
	t.Helper()
	t.Chdir("../../..")
	settings := os.Getenv("E2E_ENV")
	if settings == "" {
		t.Fatal("E2E_ENV does not name the settings of a local stack: run `make e2e`")
	}
	s := &system{dir: filepath.Join(filepath.Dir(settings), "e2e")}
	var err error
	if s.Stack, err = stack.Open(filepath.Dir(settings)); err != nil {
		t.Fatal(err)
	}
	if s.contract, err = contract.Load(); err != nil {
		t.Fatal(err)
	}
	if s.db, err = pgxpool.New(t.Context(), s.Env["DATABASE_URL"]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.db.Close)
	s.subscribe(t)
	return s
}

// function is the name of the function of a logical id.
func (s *system) function(t *testing.T, id string) string {
	t.Helper()
	name, err := s.Function(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// invoke calls a function with a JSON event and returns its answer, or the name
// and text of its error.
func (s *system) invoke(t *testing.T, function string, event any) (answer map[string]any, failed string) {
	t.Helper()
	body, err := s.Invoke(t.Context(), function, event)
	var refusal *stack.FunctionError
	if errors.As(err, &refusal) {
		return nil, refusal.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("%s answered %.200s: %v", function, body, err)
	}
	return answer, ""
}

// ask sends a request of the administrator to a route of the stack's API; its result is
// that of invoke.
func (s *system) ask(t *testing.T, route string, request any) (answer map[string]any, failed string) {
	t.Helper()
	body, err := s.Ask(t.Context(), route, request, s.Credentials())
	var refusal *stack.RefusedError
	if errors.As(err, &refusal) && refusal.Type != "" {
		return nil, refusal.FunctionError.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("%s answered %.200s: %v", route, body, err)
	}
	return answer, ""
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// call calls an operation that the product has no client for.
func (s *system) call(t *testing.T, target string, in, out any) {
	t.Helper()
	if err := s.Call(t.Context(), target, in, out); err != nil {
		t.Fatal(err)
	}
}
