//go:build e2e

// Package soap asks SOAP services that we did not write, by the loader's own source. The
// services follow docs/enrichment/products.wsdl; README.md says how they are started.
package soap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
)

// peer is the loader's source on a path of the service that SOAP_PEER names.
func peer(t *testing.T, version contract.SOAPVersion, path string, secret func(context.Context) (string, error)) *enrichment.SOAP {
	t.Helper()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	products := pkg.Resource("produits").Enrichment
	source, err := enrichment.NewSOAP(enrichment.SOAPConfig{
		URL: os.Getenv("SOAP_PEER") + path + strings.ReplaceAll(string(version), ".", ""), Version: version,
		Name: products.Source, Fields: products.Fields, Connections: 2, Secret: secret, Now: time.Now,
	})
	if err != nil {
		t.Fatalf("SOAP_PEER: %v", err)
	}
	return source
}

// TestAnswers: one key and several, with texts that XML must escape, nothing, and errors.
func TestAnswers(t *testing.T) {
	const some, nothing = `ok {"brand":"Lumière & <Fils>","weight_g":1250,"eco_score":"A"}`, `ok {"brand":null,"weight_g":0,"eco_score":null}`
	keys := []string{"1", "null", "unknown", "error", `é <"&'>`, "z"}
	want := []string{some, nothing, "not_found ", "failed record_error", some, some}
	for _, version := range []contract.SOAPVersion{contract.SOAP11, contract.SOAP12} {
		source := peer(t, version, "/soap", nil)
		listed, err := source.Lookup(t.Context(), keys)
		if err != nil {
			t.Fatalf("SOAP %s: %v", version, err)
		}
		for i, key := range keys {
			one, err := source.Lookup(t.Context(), []string{key})
			if err != nil || text(one[0]) != want[i] || text(listed[i]) != want[i] {
				t.Errorf("SOAP %s, key %d: alone %v, %v, in a list %s; want %s", version, i, one, err, text(listed[i]), want[i])
			}
		}
		many := make([]string, 1000)
		for i := range many {
			many[i] = fmt.Sprint(i)
		}
		got, err := source.Lookup(t.Context(), many)
		if err != nil || slices.ContainsFunc(got, func(o enrichment.Outcome) bool { return text(o) != some }) {
			t.Errorf("SOAP %s, 1,000 keys: %v", version, err)
		}
	}
}

func text(o enrichment.Outcome) string {
	return string(o.Status) + " " + string(o.Code) + string(o.Values)
}

// TestFaults: the peer's own faults have the cause that the engine expects.
func TestFaults(t *testing.T) {
	for _, version := range []contract.SOAPVersion{contract.SOAP11, contract.SOAP12} {
		for key, want := range map[string]enrichment.Code{"fault-sender": enrichment.CodeRefused, "fault-receiver": enrichment.CodeServerError} {
			for _, keys := range [][]string{{key}, {"1", key}} {
				got, err := peer(t, version, "/soap", nil).Lookup(t.Context(), keys)
				if failure, ok := errors.AsType[*enrichment.Failure](err); !ok || failure.Code != want {
					t.Errorf("SOAP %s, %s: %v, %v; want %s", version, keys, got, err, want)
				}
			}
		}
	}
}

// TestUsernameToken: the peer lets in who carries the right token, and nobody else. Only a
// peer that has WS-Security can be asked.
func TestUsernameToken(t *testing.T) {
	for _, version := range []contract.SOAPVersion{contract.SOAP11, contract.SOAP12} {
		for password, want := range map[string]enrichment.Code{"p<&>ss": "", "another": enrichment.CodeUnauthorized} {
			source := peer(t, version, "/secured", func(context.Context) (string, error) {
				return `{"type":"username_token","username":"loader","password":"` + password + `"}`, nil
			})
			got, err := source.Lookup(t.Context(), []string{"1"})
			failure, failed := errors.AsType[*enrichment.Failure](err)
			if failed && failure.Code != want || !failed && (err != nil || want != "" || got[0].Code != "") {
				t.Errorf("SOAP %s: %v, %v; want %q", version, got, err, want)
			}
		}
		_, err := peer(t, version, "/secured", nil).Lookup(t.Context(), []string{"1"})
		if failure, ok := errors.AsType[*enrichment.Failure](err); !ok || failure.Code != enrichment.CodeUnauthorized {
			t.Errorf("SOAP %s, without a token: %v", version, err)
		}
		_, err = peer(t, version, "/soap", func(context.Context) (string, error) {
			return `{"type":"username_token","username":"loader","password":"x"}`, nil
		}).Lookup(t.Context(), []string{"1"})
		if failure, ok := errors.AsType[*enrichment.Failure](err); !ok || failure.Code != enrichment.CodeUnauthorized {
			t.Errorf("SOAP %s, a token that nobody wants: %v", version, err)
		}
	}
}
