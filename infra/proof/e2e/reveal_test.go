//go:build e2e

package e2e

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// revealed are the values in the answer of the function, by field.
func revealed(t *testing.T, answer map[string]any) map[string]string {
	t.Helper()
	text, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Records []struct {
			Values []struct {
				Field string
				Text  string
			}
		}
	}
	if err := json.Unmarshal(text, &read); err != nil || len(read.Records) != 1 {
		t.Fatalf("%d records, %v", len(read.Records), err)
	}
	values := map[string]string{}
	for _, v := range read.Records[0].Values {
		values[v.Field] = v.Text
	}
	return values
}

// TestReveal: a person who signs reads a client's values in the table and in its event,
// and finds where they are; the audit says so. Nobody reads them by the function itself.
func TestReveal(t *testing.T) {
	sc := baseline(t)
	defer sc.clear(t)
	var of scope
	var line int64
	var sealedID, sealedEmail []byte
	if err := sc.db.QueryRow(t.Context(), `SELECT import_id, generation, line_number, client_id, email FROM final.clients c
		WHERE EXISTS (SELECT FROM final.events e WHERE (e.import_id, e.generation, e.resource, e.line_number) = (c.import_id, c.generation, 'clients', c.line_number)
			AND e.enrichment = 'ok' AND e.completes IS NULL) ORDER BY line_number LIMIT 1`).
		Scan(&of.importID, &of.generation, &line, &sealedID, &sealedEmail); err != nil {
		t.Fatal(err)
	}
	of.resource = "clients"
	record := sc.vault.record("clients", line, nil)
	id, email := sc.vault.open(t, of, record, "client_id", sealedID), sc.vault.open(t, of, record, "email", sealedEmail)
	var event string
	if err := sc.db.QueryRow(t.Context(), `SELECT event_id::text FROM final.events WHERE import_id = $1 AND resource = 'clients' AND line_number = $2 AND completes IS NULL`, of.importID, line).Scan(&event); err != nil {
		t.Fatal(err)
	}
	segment := text(sc.lookup(t, []string{id})[0]["segment"])
	const reason = "essai de lecture"
	for name, request := range map[string]map[string]any{
		"a table":  {"table": "clients", "where": map[string]any{"field": "client_id", "value": id}, "fields": []string{"email"}, "reason": reason},
		"an event": {"event": event, "fields": []string{"email", "segment"}, "reason": reason},
	} {
		answer, failed := sc.ask(t, "/reveal", request)
		if failed != "" {
			t.Fatalf("%s: %s", name, failed)
		}
		if values := revealed(t, answer); values["email"] != email || (name == "an event" && values["segment"] != segment) {
			t.Errorf("%s: the values are not those that were sealed", name)
		}
		var entries int
		if err := sc.db.QueryRow(t.Context(), `SELECT count(*) FROM etl.audit WHERE request_id = $1::text::uuid AND verified AND action = 'reveal'`, text(answer["request_id"])).Scan(&entries); err != nil || entries != 3 {
			t.Errorf("%s: %d entries in the audit, %v", name, entries, err)
		}
	}
	found, failed := sc.ask(t, "/find", map[string]any{"field": "client_id", "value": id})
	places, _ := found["places"].([]any)
	if failed != "" || len(places) == 0 || places[0].(map[string]any)["rows"] != 1.0 {
		t.Errorf("found in %d tables, %s", len(places), failed)
	}
	if _, failed := sc.ask(t, "/reveal", map[string]any{"table": "clients", "where": map[string]any{"field": "client_id", "value": id}, "fields": []string{"email"}}); !strings.HasPrefix(failed, "Refused: ") {
		t.Errorf("without a reason: %s", failed)
	}
	forged := json.RawMessage(read(t, filepath.Join("functions", "reveal", "event.json")))
	if _, failed := sc.invoke(t, "RevealFunction", forged); !strings.HasPrefix(failed, "Refused: ") {
		t.Errorf("an event of the API, sent to the function itself: %s", failed)
	}
}
