//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jackc/pgx/v5"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/contract"
)

// compareEnrichment asks the source itself what each event of a client must hold, its
// sensitive values sealed.
func (s *system) compareEnrichment(t *testing.T, v *vault, clients map[string]event) {
	t.Helper()
	r := s.contract.Resource("clients")
	keys := make([]string, 0, len(clients))
	for key := range clients {
		keys = append(keys, key)
	}
	for chunk := range slices.Chunk(keys, 1000) {
		for i, answer := range s.lookup(t, r, chunk) {
			e, status := clients[chunk[i]], "not_found"
			if found, _ := answer["found"].(bool); found {
				status = "ok"
			}
			if aws.ToString(e.enrichment) != status {
				t.Errorf("event of clients, line %d: enrichment %q, want %q", e.line, aws.ToString(e.enrichment), status)
				continue
			}
			if status != "ok" {
				continue // compareData has counted the members
			}
			for _, f := range r.Enrichment.Fields {
				if got := v.member(t, f.Field(), scope{e.importID, e.generation, e.resource}, e); fmt.Sprint(got) != fmt.Sprint(answer[f.Name]) {
					t.Errorf("event of clients, line %d, %s is not what the source answers", e.line, f.Name)
				}
			}
		}
	}
}

// lookup asks the enrichment source for many clients.
func (s *system) lookup(t *testing.T, r *contract.Resource, clients []string) []map[string]any {
	t.Helper()
	keys := make([]string, len(clients))
	for i, c := range clients {
		keys[i], _ = r.Field("client_id").Canonical([]byte(c))
	}
	decoder := json.NewDecoder(bytes.NewReader(s.enrichment(t, "/v1/clients:batch", map[string]any{"keys": keys})))
	decoder.UseNumber()
	var answer struct{ Results []map[string]any }
	if err := decoder.Decode(&answer); err != nil || len(answer.Results) != len(keys) {
		t.Fatalf("the source answers %d of %d keys: %v", len(answer.Results), len(keys), err)
	}
	return answer.Results
}

// compareStores asks the database itself what each event of a store must hold.
func (s *system) compareStores(t *testing.T, stores []event) {
	t.Helper()
	places := map[string]map[string]any{}
	var text []byte
	if err := s.stores(t).QueryRow(t.Context(), `SELECT json_object_agg(city || ',' || country, row_to_json(p)) FROM stores.places AS p`).Scan(&text); err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&places); err != nil {
		t.Fatal(err)
	}
	for _, e := range stores {
		place, known := places[fmt.Sprintf("%s,%s", e.data["city"], e.data["country"])]
		status := "not_found"
		if known {
			status = "ok"
		}
		if aws.ToString(e.enrichment) != status {
			t.Errorf("event of magasins, line %d: enrichment %q, want %q", e.line, aws.ToString(e.enrichment), status)
			continue
		}
		for _, f := range s.contract.Resource("magasins").Enrichment.Fields {
			if known && e.data[f.Name] != place[f.Name] {
				t.Errorf("event of magasins, line %d, %s is %v, not %v", e.line, f.Name, e.data[f.Name], place[f.Name])
			}
		}
	}
}

// stores connects to the database that enriches stores, as its administrator.
func (s *system) stores(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.Env["STORES_URL"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// enrichment posts to the enrichment source, with what authenticates the functions.
func (s *system) enrichment(t *testing.T, path string, body any) []byte {
	t.Helper()
	out, err := s.Secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(s.Env["ENRICHMENT_SECRET_ARN"])})
	if err != nil {
		t.Fatal(err)
	}
	var secret struct{ Type, Name, Value string }
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &secret); err != nil || secret.Type != "header" || secret.Value != canaryKey {
		t.Fatalf("the secret of the enrichment source is no header with the canary: %v", err)
	}
	answer, err := stack.Post(t.Context(), s.Env["ENRICHMENT_URL"]+path, body, map[string]string{secret.Name: secret.Value})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
