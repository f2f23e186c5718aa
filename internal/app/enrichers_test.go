package app

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
)

// TestSourceSecret: the secret is read when it is asked for, as it then is; without
// one there is nothing to read.
func TestSourceSecret(t *testing.T) {
	a, _ := newApp(t, Env{Sources: map[string]Source{}})
	if a.sourceSecret("clients") != nil {
		t.Error("without a secret there is one to read")
	}
	manager := secretsmanager.NewFromConfig(a.AWS)
	made, err := manager.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(a.Env.RegistryTable), SecretString: aws.String("first")})
	if err != nil {
		t.Fatal(err)
	}
	arn := aws.ToString(made.ARN)
	a.Env.Sources["clients"], a.Env.Sources["others"] = Source{SecretARN: arn}, Source{SecretARN: arn + "x"}
	read := a.sourceSecret("clients")
	for _, want := range []string{"first", "second"} {
		if _, err := manager.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: made.ARN, SecretString: &want}); err != nil {
			t.Fatal(err)
		}
		if got, err := read(t.Context()); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	if _, err := a.sourceSecret("others")(t.Context()); err == nil || !strings.Contains(err.Error(), arn+"x") || !strings.Contains(err.Error(), "others") {
		t.Errorf("a secret that is not there: %v", err)
	}
}

// TestSources: each source has its own address and secret, by its name.
func TestSources(t *testing.T) {
	got := readSources([]string{
		"ENRICHMENT_CLIENTS_URL=https://c/?a=b", "ENRICHMENT_CLIENTS_SECRET_ARN=cs", "ENRICHMENT_BY_URL_URL=https://b", "ENRICHMENT_SECRET_ARN_URL=https://s",
		"ENRICHMENT_STORES_SECRET_ARN=ss", "ENRICHMENT_EMPTY_URL=", "ENRICHMENT_EMPTY_SECRET_ARN=", "ENRICHMENT_PATIENCE_DAILY=1", "CLIENTS_URL=x", "ENRICHMENT_X",
	})
	want := map[string]Source{
		"clients": {URL: "https://c/?a=b", SecretARN: "cs"}, "by_url": {URL: "https://b"}, "secret_arn": {URL: "https://s"}, "stores": {SecretARN: "ss"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestEnrichers: one enricher a source and mode, for the life of the process.
func TestEnrichers(t *testing.T) {
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	a, _ := newApp(t, Env{Sources: map[string]Source{"clients": {URL: "http://127.0.0.1:1/clients"}, "products": {URL: "http://127.0.0.1:1/soap"}}})
	enrichers := a.Enrichers(pkg)
	first, err := enrichers("clients", etl.ModeDaily)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := enrichers("clients", etl.ModeDaily); err != nil || again != first {
		t.Errorf("another one: %v", err)
	}
	initial, err := enrichers("clients", etl.ModeInitial)
	if err != nil || initial == first || initial.BatchSize() <= first.BatchSize() {
		t.Errorf("the modes share an enricher: %v", err)
	}
	for _, mode := range []etl.Mode{etl.ModeInitial, etl.ModeDaily} {
		if _, err := enrichers("products", mode); err != nil {
			t.Errorf("the source of products, %s: %v", mode, err)
		}
	}
	if _, err := enrichers("nobody", etl.ModeDaily); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("an unknown source: %v", err)
	}
	for _, url := range []string{"", "http://example.org/clients", "ftp://127.0.0.1", ":"} {
		a.Env.Sources["clients"] = Source{URL: url}
		if _, err := a.Enrichers(pkg)("clients", etl.ModeDaily); err == nil {
			t.Errorf("the URL %q is taken", url)
		}
	}
}

// TestUnknownKind: a source of a kind that nothing asks is an error, not a REST source.
func TestUnknownKind(t *testing.T) {
	a, _ := newApp(t, Env{Sources: map[string]Source{"clients": {URL: "http://127.0.0.1:1"}}})
	e := &contract.Enrichment{Source: "clients", Kind: "ftp", Fields: []contract.EnrichedField{{Name: "f", Type: contract.TypeString}}, Limits: contract.DefaultSourceLimits()}
	if client, err := a.sourceClient(e, etl.ModeDaily); err == nil || !strings.Contains(err.Error(), "ftp") {
		t.Errorf("got %T, %v", client, err)
	}
}

// TestDatabaseSource: a database has its address in its secret, and cannot do without.
func TestDatabaseSource(t *testing.T) {
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	a, _ := newApp(t, Env{Sources: map[string]Source{"stores": {SecretARN: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:stores"}}})
	if _, err := a.Enrichers(pkg)("stores", etl.ModeDaily); err != nil {
		t.Error(err)
	}
	a, _ = newApp(t, Env{})
	if _, err := a.Enrichers(pkg)("stores", etl.ModeDaily); err == nil || !strings.Contains(err.Error(), "secret") {
		t.Errorf("without a secret: %v", err)
	}
}
