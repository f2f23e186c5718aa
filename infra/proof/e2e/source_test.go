//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

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
