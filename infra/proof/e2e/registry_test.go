//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/etl"
)

// The statuses of an import, as they are written everywhere.
const (
	running   = "en cours"
	succeeded = "réussi"
	failed    = "échoué"
)

// item reads one item of the registry into v; false if there is none.
func (s *system) item(t *testing.T, pk, sk string, v any) bool {
	t.Helper()
	found, err := s.Item(t.Context(), pk, sk, v)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// registry returns every item of the registry.
func (s *system) registry(t *testing.T) []stack.Item {
	t.Helper()
	items, err := s.Items(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// attempts returns the attempts of an import, oldest first.
func (s *system) attempts(t *testing.T, importID string) []stack.Attempt {
	t.Helper()
	attempts, err := s.Attempts(t.Context(), importID)
	if err != nil {
		t.Fatal(err)
	}
	return attempts
}

// importOf returns the import of a date; false while it has none.
func (s *system) importOf(t *testing.T, mode, date string) (stack.Import, bool) {
	t.Helper()
	imp, found, err := s.ImportOf(t.Context(), mode, date)
	if err != nil {
		t.Fatal(err)
	}
	return imp, found
}

// allImports returns every import of the registry.
func (s *system) allImports(t *testing.T) (imports []stack.Import) {
	t.Helper()
	for _, item := range s.registry(t) {
		var key struct {
			PK string `dynamodbav:"pk"`
			SK string `dynamodbav:"sk"`
		}
		var imp stack.Import
		if err := attributevalue.UnmarshalMap(item, &key); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(key.PK, "IMPORT#") || key.SK != "META" {
			continue
		}
		if err := attributevalue.UnmarshalMap(item, &imp); err != nil {
			t.Fatal(err)
		}
		imports = append(imports, imp)
	}
	return imports
}

// awaitStatus waits until the import of a date has ended its nth attempt, with
// that status, and was reported.
func (s *system) awaitStatus(t *testing.T, mode, date string, status etl.Status, attempts int) stack.Import {
	t.Helper()
	imp := s.await(t, fmt.Sprintf("attempt %d of the %s import of %s to be «%s»", attempts, mode, date, status), mode, date, func(imp stack.Import) (bool, error) {
		if imp.Attempts < attempts || imp.Status == running {
			return false, nil
		}
		if imp.Status != status {
			return false, fmt.Errorf("%s is «%s» at %s (%s): %s: %w", imp.ImportID, imp.Status, imp.State, imp.Fault, imp.Reason, errNever)
		}
		return imp.Reported(), nil
	})
	if imp.Attempts != attempts {
		t.Errorf("%s has %d attempts, want %d", imp.ImportID, imp.Attempts, attempts)
	}
	return imp
}
