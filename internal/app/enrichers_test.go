package app

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// TestEnrichmentSecret: the secret is read when it is asked for, as it then is; without
// one there is nothing to read.
func TestEnrichmentSecret(t *testing.T) {
	a, _ := newApp(t, Env{})
	if a.enrichmentSecret() != nil {
		t.Error("without a secret there is one to read")
	}
	manager := secretsmanager.NewFromConfig(a.AWS)
	made, err := manager.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(a.Env.RegistryTable), SecretString: aws.String("first")})
	if err != nil {
		t.Fatal(err)
	}
	a.Env.EnrichmentClientsARN = aws.ToString(made.ARN)
	read := a.enrichmentSecret()
	for _, want := range []string{"first", "second"} {
		if _, err := manager.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: made.ARN, SecretString: &want}); err != nil {
			t.Fatal(err)
		}
		if got, err := read(t.Context()); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	a.Env.EnrichmentClientsARN += "x"
	if _, err := a.enrichmentSecret()(t.Context()); err == nil || !strings.Contains(err.Error(), a.Env.EnrichmentClientsARN) {
		t.Errorf("a secret that is not there: %v", err)
	}
}
