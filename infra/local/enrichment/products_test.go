package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
)

// The loader's own source, on the stand-in: both keep docs/enrichment/products.wsdl, or
// these tests fail.

// deliveredProducts is what the contract says of products.
func deliveredProducts(t *testing.T) *contract.Enrichment {
	t.Helper()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	return pkg.Resource("produits").Enrichment
}

// productsOf is the loader's source of products on the stand-in.
func productsOf(
	t *testing.T, server *httptest.Server, delivered *contract.Enrichment, version contract.SOAPVersion, secret func(context.Context) (string, error),
) *enrichment.SOAP {
	t.Helper()
	source, err := enrichment.NewSOAP(enrichment.SOAPConfig{
		URL: server.URL + "/products/soap", Version: version, Name: delivered.Source, Fields: delivered.Fields, Connections: 8, Secret: secret, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// productsControls is a server whose controls are those of products.
func productsControls(server *httptest.Server) *httptest.Server {
	return &httptest.Server{URL: server.URL + "/products"}
}

// rightProduct is what the loader must make of the stand-in's answer for a key.
func rightProduct(key string) string {
	d := digestOf(key)
	if !d.found() {
		return "not_found"
	}
	text := func(v string) string {
		if v == "" {
			return "null"
		}
		quoted := &strings.Builder{}
		encoder := json.NewEncoder(quoted)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(v)
		return strings.TrimSpace(quoted.String())
	}
	return fmt.Sprintf(`ok{"brand":%s,"weight_g":%d,"eco_score":%s}`, text(d.brand()), d.weight(), text(d.eco()))
}

func TestProducts(t *testing.T) {
	server, delivered := startServer(t), deliveredProducts(t)
	for _, version := range []contract.SOAPVersion{contract.SOAP11, contract.SOAP12} {
		setFaults(t, productsControls(server), "ok", 0)
		source, keys, seen := productsOf(t, server, delivered, version, nil), testKeys(1000), map[string]int{}
		listed, err := source.Lookup(t.Context(), keys)
		if err != nil {
			t.Fatal(err)
		}
		for i, key := range keys {
			if got := string(listed[i].Status) + string(listed[i].Values); got != rightProduct(key) {
				t.Fatalf("key %d: %s, want %s", i, got, rightProduct(key))
			}
			seen[string(listed[i].Status)]++
			seen["null"] += strings.Count(string(listed[i].Values), "null")
		}
		for i, key := range keys[:20] {
			one, err := source.Lookup(t.Context(), []string{key})
			if err != nil || one[0].Status != listed[i].Status || string(one[0].Values) != string(listed[i].Values) {
				t.Fatalf("key %d: %+v, %v", i, one, err)
			}
		}
		if seen["not_found"] == 0 || seen["null"] == 0 || seen["ok"] < 900 {
			t.Errorf("%v", seen)
		}
		if got := faultsOf(t, productsControls(server)); got.Batches != 1 || got.Lookups != 20 || got.Answered != 1000 || got.AnsweredAgain != 20 {
			t.Errorf("%+v", got)
		}
	}
	if got := faultsOf(t, server); got.Batches+got.Lookups+got.Keys > 0 {
		t.Errorf("the API of clients was asked: %+v", got)
	}
}

// TestProductsFaults: what the loader makes of each fault.
func TestProductsFaults(t *testing.T) {
	server := startServer(t)
	controls, delivered := productsControls(server), deliveredProducts(t)
	keys := slices.DeleteFunc(testKeys(10), func(key string) bool { return !digestOf(key).found() })
	for _, version := range []contract.SOAPVersion{contract.SOAP11, contract.SOAP12} {
		source := productsOf(t, server, delivered, version, nil)
		for mode, want := range map[string]enrichment.Code{
			"fault": enrichment.CodeServerError, "fault_ok": enrichment.CodeServerError, "fault_sender": enrichment.CodeRefused,
			"error500": enrichment.CodeServerError, "unavailable": enrichment.CodeServerError, "throttled": enrichment.CodeThrottled, "throttled_date": enrichment.CodeThrottled,
			"throttled_silent": enrichment.CodeThrottled, "unauthorized": enrichment.CodeUnauthorized, "expired": enrichment.CodeUnauthorized, "redirect": enrichment.CodeRefused,
			"reset": enrichment.CodeUnreachable, "garbage": enrichment.CodeInvalidAnswer, "error_body": enrichment.CodeInvalidAnswer, "cut": enrichment.CodeUnreachable,
			"content_type": enrichment.CodeInvalidAnswer, "namespace": enrichment.CodeInvalidAnswer, "bomb": enrichment.CodeInvalidAnswer,
		} {
			setFaults(t, controls, mode, 0)
			got, err := source.Lookup(t.Context(), keys)
			if failure, ok := errors.AsType[*enrichment.Failure](err); !ok || failure.Code != want || got != nil {
				t.Errorf("SOAP %s, %s: %v, want %s", version, mode, err, want)
			}
			if status, _ := request(t, http.MethodPut, controls.URL+"/credentials", `{"type":"none"}`); status != 200 {
				t.Fatal(status)
			}
		}
		for mode, failed := range map[string][]enrichment.Code{
			"reordered": make([]enrichment.Code, len(keys)), "unknown_members": make([]enrichment.Code, len(keys)),
			"half":       slices.Concat(make([]enrichment.Code, len(keys)/2), slices.Repeat([]enrichment.Code{enrichment.CodeNoResult}, len(keys)-len(keys)/2)),
			"doubled":    slices.Repeat([]enrichment.Code{enrichment.CodeInvalidAnswer}, len(keys)),
			"bad_record": firstOf(len(keys)), "out_of_range": firstOf(len(keys)), "huge_number": firstOf(len(keys)), "duplicate_members": firstOf(len(keys)),
		} {
			setFaults(t, controls, mode, 0)
			got, err := source.Lookup(t.Context(), keys)
			if err != nil {
				t.Errorf("SOAP %s, %s: %v", version, mode, err)
				continue
			}
			for i := range keys {
				if got[i].Code != failed[i] || (failed[i] == "") != (got[i].Status == etl.EnrichmentOK) || (mode == "unknown_members") != (got[i].Dropped == 2) {
					t.Errorf("SOAP %s, %s, key %d: %+v, want %q", version, mode, i, got[i], failed[i])
				}
			}
		}
	}
}

// firstOf is n codes, the first of which is that of an invalid answer.
func firstOf(n int) []enrichment.Code {
	codes := make([]enrichment.Code, n)
	codes[0] = enrichment.CodeInvalidAnswer
	return codes
}

// TestProductsDrip: the answer comes a byte at a time, and whole.
func TestProductsDrip(t *testing.T) {
	server := startServer(t)
	tell(t, productsControls(server), map[string]any{"mode": "drip", "drip_ms": 1})
	source := productsOf(t, server, deliveredProducts(t), contract.SOAP12, nil)
	got, err := source.Lookup(t.Context(), []string{"1000"})
	if err != nil || string(got[0].Status)+string(got[0].Values) != rightProduct("1000") {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestProductsCredentials: the same secret lets the loader in at the stand-in.
func TestProductsCredentials(t *testing.T) {
	server := startServer(t)
	controls, delivered := productsControls(server), deliveredProducts(t)
	for _, version := range []contract.SOAPVersion{contract.SOAP11, contract.SOAP12} {
		for _, secret := range []string{
			`{"type":"username_token","username":"loader","password":"p<&>"}`, `{"type":"header","name":"X-Api-Key","value":"k"}`, `{"type":"basic","username":"loader","password":"p"}`,
			`{"type":"oauth2","token_url":"` + controls.URL + `/token","client_id":"loader","client_secret":"s"}`,
		} {
			if status, body := request(t, http.MethodPut, controls.URL+"/credentials", secret); status != 200 {
				t.Fatal(status, body)
			}
			setFaults(t, controls, "ok", 0)
			source := productsOf(t, server, delivered, version, func(context.Context) (string, error) { return secret, nil })
			if got, err := source.Lookup(t.Context(), []string{"1000"}); err != nil || got[0].Status == etl.EnrichmentFailed {
				t.Errorf("SOAP %s, %s: %v", version, secret, err)
			}
			for _, wrong := range []func(context.Context) (string, error){
				nil, func(context.Context) (string, error) {
					return strings.NewReplacer(`"p`, `"q`, `"k"`, `"l"`, `"s"`, `"t"`).Replace(secret), nil
				},
			} {
				_, err := productsOf(t, server, delivered, version, wrong).Lookup(t.Context(), []string{"1000"})
				if failure, ok := errors.AsType[*enrichment.Failure](err); !ok || failure.Code != enrichment.CodeUnauthorized {
					t.Errorf("SOAP %s, %s, wrong ones: %v", version, secret, err)
				}
			}
			if got := faultsOf(t, controls); got.Refused == 0 || got.Lookups != 1 {
				t.Errorf("SOAP %s, %s: %+v", version, secret, got)
			}
		}
	}
}

// TestProductsRefusesCalls: what breaks the document is refused, in the way of the version.
func TestProductsRefusesCalls(t *testing.T) {
	server := startServer(t)
	call := func(media, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/products/soap", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", media)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
	for _, v := range soapVersions() {
		one := func(body string) string {
			return v.message(`<Lookup xmlns="` + productsNamespace + `">` + body + "</Lookup>")
		}
		if status, body := call(v.media, one("<key>1000</key>")); status != 200 || !strings.Contains(body, "<p:LookupResponse ") {
			t.Errorf("%s: %d %s", v.media, status, body)
		}
		for name, sent := range map[string]string{
			"no XML": "x", "no key": one(""), "two keys": one("<key>1</key><key>2</key>"), "an empty key": one("<key/>"), "a long key": one("<key>" + strings.Repeat("1", 65) + "</key>"),
			"no operation": v.message(""), "another namespace": strings.Replace(one("<key>1</key>"), productsNamespace, "urn:x", 1), "another envelope": strings.Replace(one("<key>1</key>"), v.namespace, "urn:x", 1),
			"too many keys":  strings.ReplaceAll(one(strings.Repeat("<key>1</key>", 1001)), "Lookup", "LookupList"),
			"two operations": v.message(`<Lookup xmlns="` + productsNamespace + `"><key>1</key></Lookup><LookupList xmlns="` + productsNamespace + `"><key>1</key></LookupList>`),
		} {
			if status, body := call(v.media, sent); status != v.refused || !strings.Contains(body, ">soap:"+v.sender+"<") {
				t.Errorf("%s, %s: %d %s", v.media, name, status, body)
			}
		}
	}
	if status, _ := call("application/json", "{}"); status != http.StatusUnsupportedMediaType {
		t.Errorf("JSON: %d", status)
	}
	for _, mode := range []string{"job", "job_gone"} {
		if status, _ := request(t, http.MethodPost, server.URL+"/products/faults", `{"mode":"`+mode+`"}`); status != http.StatusBadRequest {
			t.Errorf("%s: %d", mode, status)
		}
	}
	for _, mode := range []string{"fault", "fault_ok", "fault_sender", "namespace", "bomb"} {
		if status, _ := request(t, http.MethodPost, server.URL+"/faults", `{"mode":"`+mode+`"}`); status != http.StatusBadRequest {
			t.Errorf("%s of the API: %d", mode, status)
		}
	}
}
