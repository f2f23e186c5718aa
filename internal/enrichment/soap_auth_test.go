package enrichment

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
)

// securityOf returns the user's token in a request's header, by a reader of its own.
func securityOf(t *testing.T, body []byte) (username, password, kind, must string) {
	t.Helper()
	var sent struct {
		Header struct {
			Security struct {
				Must  []xml.Attr `xml:",any,attr"`
				Token struct {
					Username string `xml:"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd Username"`
					Password struct {
						Type string `xml:"Type,attr"`
						Text string `xml:",chardata"`
					} `xml:"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd Password"`
				} `xml:"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd UsernameToken"`
			} `xml:"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd Security"`
		} `xml:"Header"`
	}
	if err := xml.Unmarshal(body, &sent); err != nil {
		t.Error(err)
	}
	security := sent.Header.Security
	if i := slices.IndexFunc(security.Must, func(a xml.Attr) bool { return a.Name.Local == "mustUnderstand" }); i >= 0 {
		must = security.Must[i].Name.Space + " " + security.Must[i].Value
	}
	return security.Token.Username, security.Token.Password.Text, security.Token.Password.Type, must
}

// TestUsernameToken: a user's token stands in the header of every call. Where a fault
// refuses it, under whatever status, the secret is read again and the call repeated once.
func TestUsernameToken(t *testing.T) {
	const user, former, present = `l<oad>er "é"`, canary + " & former", canary + " & present"
	secretOf := func(password string) string {
		return `{"type":"username_token","username":"l<oad>er \"é\"","password":"` + password + `"}`
	}
	const refusal = `<soap:Fault><faultcode xmlns:w="` + securityNamespace + `">w:FailedAuthentication</faultcode><faultstring>` + canary + `</faultstring></soap:Fault>`
	for _, v := range soapVersions() {
		for _, status := range []int{200, 500, 401} {
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				username, password, kind, must := securityOf(t, body)
				if username != user || kind != passwordText || must != v.namespace+" 1" {
					t.Errorf("%q, %s, %s", username, kind, must)
				}
				sent := envelope11(refusal)
				if password == present {
					sent, status := envelope11(response("Lookup", goodSOAPResult)), 200
					answer(status, v.media, strings.Replace(sent, soapNamespace11, v.namespace, 1))(w, r)
					return
				}
				if v.version == contract.SOAP12 {
					sent = strings.NewReplacer("<faultcode", "<soap:Code><soap:Value", "</faultcode>", "</soap:Value></soap:Code>", soapNamespace11, soapNamespace12).Replace(sent)
				}
				answer(status, v.media, sent)(w, r)
			}))
			ask := func(want Code, wantCalls int, secrets ...string) {
				t.Helper()
				calls = 0
				cfg := soapConfig(server.URL, v.version)
				cfg.Secret = (&vault{texts: secrets}).read
				got, err := newSOAP(t, cfg).Lookup(t.Context(), []string{secretKey})
				if (want == "") != (err == nil) || want == "" && got[0].Status != etl.EnrichmentOK || calls != wantCalls {
					t.Errorf("SOAP %s, %d: %s, %v, %d calls", v.version, status, describe(got), err, calls)
				}
				if err != nil && (codeOf(t, err) != want || strings.Contains(err.Error(), canary)) {
					t.Errorf("SOAP %s, %d: %v", v.version, status, err)
				}
			}
			ask("", 1, secretOf(present))
			ask("", 2, secretOf(former), secretOf(present))
			ask(CodeUnauthorized, 2, secretOf(former))
			server.Close()
		}
	}
}

// TestSOAPAuthenticatesLikeREST: the other types of secrets go where they go over REST.
func TestSOAPAuthenticatesLikeREST(t *testing.T) {
	for secret, header := range map[string][2]string{
		`{"type":"header","name":"X-Api-Key","value":"` + canary + `"}`:                                   {"X-Api-Key", canary},
		`{"type":"basic","username":"loader","password":"` + canary + `"}`:                                {"Authorization", "Basic "},
		`{"type":"oauth2","token_url":"URL/token","client_id":"loader","client_secret":"` + canary + `"}`: {"Authorization", "Bearer token-1"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				answer(200, "application/json", `{"access_token":"token-1","token_type":"Bearer","expires_in":3600}`)(w, r)
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil || strings.Contains(string(body), canary) || strings.Contains(string(body), "Header") || !strings.HasPrefix(r.Header.Get(header[0]), header[1]) {
				t.Errorf("%v, %v, %s", err, r.Header, body)
			}
			answer(200, "text/xml", envelope11(response("Lookup", goodSOAPResult)))(w, r)
		}))
		cfg := soapConfig(server.URL+"/soap", contract.SOAP11)
		cfg.Secret = (&vault{texts: []string{strings.Replace(secret, "URL", server.URL, 1)}}).read
		if got, err := newSOAP(t, cfg).Lookup(t.Context(), []string{secretKey}); err != nil || got[0].Status != etl.EnrichmentOK {
			t.Errorf("%s, %v", describe(got), err)
		}
		server.Close()
	}
}

// TestUsernameTokenOverREST: without an envelope a user's token has no place.
func TestUsernameTokenOverREST(t *testing.T) {
	url, calls := guard(t, http.StatusUnauthorized, func(*http.Request) bool { return true })
	source := guarded(t, url, (&vault{texts: []string{`{"type":"username_token","username":"u","password":"p"}`}}).read)
	if got, err := source.Lookup(t.Context(), []string{secretKey}); codeOf(t, err) != CodeUnauthorized || got != nil || *calls != 0 {
		t.Errorf("%v, %v, %d calls", got, err, *calls)
	}
}
