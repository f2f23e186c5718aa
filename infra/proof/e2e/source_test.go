//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jackc/pgx/v5"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/contract"
)

// enriched are events whose enrichment is to be compared, by resource.
type enriched map[string][]keyed

// keyed is an event with the key that its source was asked for.
type keyed struct {
	event
	key string
}

// keyOf is the key that a source is asked for.
func keyOf(r *contract.Resource, w value) string {
	f := r.Field(r.Enrichment.Key[0])
	key, _ := f.Canonical([]byte(text(w.Target[f.Target])))
	return key
}

// compareEnrichment asks the sources themselves what each event must hold, its sensitive
// values sealed.
func (s *system) compareEnrichment(t *testing.T, v *vault, found enriched) {
	t.Helper()
	for _, r := range s.contract.Resources {
		for chunk := range slices.Chunk(found[r.Name], 1000) {
			keys := make([]string, len(chunk))
			for i, e := range chunk {
				keys[i] = e.key
			}
			ask := s.lookup
			if r.Enrichment.Kind == contract.KindSOAP {
				ask = s.lookupProducts
			}
			for i, answer := range ask(t, keys) {
				s.compareAnswer(t, v, r, chunk[i].event, answer)
			}
		}
	}
}

// compareAnswer holds an event against what the source answers.
func (s *system) compareAnswer(t *testing.T, v *vault, r *contract.Resource, e event, answer map[string]any) {
	t.Helper()
	status := "not_found"
	if found, _ := answer["found"].(bool); found {
		status = "ok"
	}
	if aws.ToString(e.enrichment) != status {
		t.Errorf("event of %s, line %d: enrichment %q, want %q", r.Name, e.line, aws.ToString(e.enrichment), status)
		return
	}
	if status != "ok" {
		return // compareData has counted the members
	}
	for _, f := range r.Enrichment.Fields {
		if got := v.member(t, f.Field(), scope{e.importID, e.generation, e.resource}, e); fmt.Sprint(got) != fmt.Sprint(answer[f.Name]) {
			t.Errorf("event of %s, line %d, %s is not what the source answers", r.Name, e.line, f.Name)
		}
	}
}

// lookup asks the source of clients for many of them.
func (s *system) lookup(t *testing.T, keys []string) []map[string]any {
	t.Helper()
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

// lookupProducts asks the source of products for many of them.
func (s *system) lookupProducts(t *testing.T, keys []string) []map[string]any {
	t.Helper()
	var secret struct{ Type, Username, Password string }
	if s.secret(t, "ENRICHMENT_PRODUCTS_SECRET_ARN", &secret); secret.Type != "username_token" || secret.Password != canaryPassword {
		t.Fatal("the secret of the source of products is no token with the canary")
	}
	const wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	call := `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:w="` + wsse + `"><e:Header><w:Security><w:UsernameToken><w:Username>` + secret.Username +
		`</w:Username><w:Password>` + secret.Password + `</w:Password></w:UsernameToken></w:Security></e:Header><e:Body><LookupList xmlns="urn:etl-dataloader:enrichment:products:v1"><key>` +
		strings.Join(keys, "</key><key>") + `</key></LookupList></e:Body></e:Envelope>`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Env["ENRICHMENT_URL"]+"/products/soap", strings.NewReader(call))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "text/xml")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Results []struct {
			Found  bool `xml:"found"`
			Values struct {
				Fields []struct {
					XMLName xml.Name
					Text    string `xml:",chardata"`
					Nil     bool   `xml:"http://www.w3.org/2001/XMLSchema-instance nil,attr"`
				} `xml:",any"`
			} `xml:"values"`
		} `xml:"Body>LookupListResponse>result"`
	}
	if err := xml.NewDecoder(response.Body).Decode(&answer); err != nil || len(answer.Results) != len(keys) {
		t.Fatalf("the source answers %d of %d keys: %v", len(answer.Results), len(keys), err)
	}
	all := make([]map[string]any, len(keys))
	for i, result := range answer.Results {
		all[i] = map[string]any{"found": result.Found}
		for _, f := range result.Values.Fields {
			if !f.Nil {
				all[i][f.XMLName.Local] = f.Text
			}
		}
	}
	return all
}

// secret reads a secret whose ARN the environment has.
func (s *system) secret(t *testing.T, name string, to any) {
	t.Helper()
	out, err := s.Secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(s.Env[name])})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), to); err != nil {
		t.Fatalf("%s is no JSON: %v", name, err)
	}
}

// enrichment posts to the enrichment source of clients, with what authenticates the functions.
func (s *system) enrichment(t *testing.T, path string, body any) []byte {
	t.Helper()
	var secret struct{ Type, Name, Value string }
	if s.secret(t, "ENRICHMENT_SECRET_ARN", &secret); secret.Type != "header" || secret.Value != canaryKey {
		t.Fatal("the secret of the source of clients is no header with the canary")
	}
	answer, err := stack.Post(t.Context(), s.Env["ENRICHMENT_URL"]+path, body, map[string]string{secret.Name: secret.Value})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
