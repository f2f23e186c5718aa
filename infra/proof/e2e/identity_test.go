//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/infra/proof/stack"
)

// by returns the identities behind the attempts of an import.
func (sc *scenario) by(t *testing.T, importID string) (identities []string) {
	t.Helper()
	for n := range sc.attempts(t, importID) {
		var attempt struct {
			By string `dynamodbav:"by"`
		}
		if _, err := sc.Item(t.Context(), "IMPORT#"+importID, fmt.Sprintf("ATTEMPT#%03d", n+1), &attempt); err != nil {
			t.Fatal(err)
		}
		identities = append(identities, attempt.By)
	}
	return identities
}

// audited checks the entries of etl.audit about an import.
func (sc *scenario) audited(t *testing.T, importID string, want []string) {
	t.Helper()
	rows, err := sc.db.Query(t.Context(), `SELECT concat_ws(' ', stage, identity, coalesce(access_key_id, '-'), verified::text, action)
		FROM etl.audit WHERE import_id = $1 ORDER BY audit_id`, importID)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("etl.audit has %q, %v; want %q", got, err, want)
	}
}

// TestIdentity: only who signs a request has an identity. What a request says of its
// author counts for nothing, even in the form of API Gateway's own events.
func TestIdentity(t *testing.T) {
	sc := baseline(t)
	defer sc.clear(t)
	of := sc.day(t, "-rows", "60", "-seed", "12")
	sc.place(t, obstacle{"Publish", "", 0})
	sc.upload(t, of, of.files(t)...)
	imp := sc.awaitStatus(t, of.Mode, of.Date, failed, 1)
	forged := map[string]any{
		"import_id": imp.ImportID, "mode": "resume", "trigger": "automatic", "by": "arn:aws:iam::000000000000:user/forged",
		"requestContext": map[string]any{"authorizer": map[string]any{"iam": map[string]any{"userArn": "arn:aws:iam::000000000000:user/forged"}}},
	}
	unsigned := func(r *http.Request) { r.Header.Del("Authorization") }
	_, err := sc.Ask(t.Context(), "/rerun", forged, sc.Credentials(), unsigned)
	var refused *stack.RefusedError
	if !errors.As(err, &refused) || refused.Status != http.StatusForbidden {
		t.Errorf("an unsigned request: %v", err)
	}
	if _, failed := sc.invoke(t, "RerunFunction", forged); failed != "" {
		t.Fatal(failed)
	}
	imp = sc.awaitStatus(t, of.Mode, of.Date, failed, 2)
	sc.clear(t)
	if _, failed := sc.ask(t, "/rerun", forged); failed != "" {
		t.Fatal(failed)
	}
	imp = sc.settle(t, of, 3)
	administrator := "arn:aws:iam::000000000000:root (clé " + sc.Credentials().AccessKeyID + ")"
	want := []string{"", "identité non vérifiée", administrator}
	got := sc.by(t, imp.ImportID)
	if len(got) != len(want) {
		t.Fatalf("attempts by %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("attempt %d is by %q, want %q", i+1, got[i], want[i])
		}
	}
	sc.audited(t, imp.ImportID, []string{
		"asked identité non vérifiée - false resume", "done identité non vérifiée - false resume",
		"asked arn:aws:iam::000000000000:root " + sc.Credentials().AccessKeyID + " true resume",
		"done arn:aws:iam::000000000000:root " + sc.Credentials().AccessKeyID + " true resume",
	})
	for i, a := range sc.attempts(t, imp.ImportID)[1:] {
		if a.Kind != "resume" || a.Trigger != "command" {
			t.Errorf("attempt %d: %s by %s", i+2, a.Kind, a.Trigger)
		}
	}
}
