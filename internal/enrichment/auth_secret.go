package enrichment

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/oauth2/clientcredentials"

	"etl-dataloader/internal/jsonscan"
)

// secret is the secret of a source, read and checked.
type secret struct {
	name, value string                    // of the header, with the types "header" and "basic"
	oauth       *clientcredentials.Config // with the type "oauth2"
	mutual      *tls.Config               // with the type "mtls"
	user        *userToken                // with the type "username_token"
}

// parseSecret reads the JSON of a secret:
//
//	{"type": "header", "name": "X-Api-Key", "value": "…"}
//	{"type": "basic", "username": "…", "password": "…"}
//	{"type": "oauth2", "token_url": "https://…", "client_id": "…", "client_secret": "…", "scopes": ["…"]}
//	{"type": "mtls", "certificate": "…", "key": "…", "authority": "…"}
//	{"type": "username_token", "username": "…", "password": "…"}
//
// Only scopes and authority may be left out, and nothing may be added. Errors quote
// nothing of it.
func parseSecret(text string) (*secret, error) {
	members, scopes, ok := secretMembers(text)
	if !ok {
		return nil, errors.New("the source's secret is no JSON object of texts, each under a name of its own")
	}
	kind := members["type"]
	if shape, ok := secretShape(kind); !ok || !shape.fits(members, scopes != nil) {
		return nil, errors.New(`the source's secret does not have exactly the members of its type, which is "header" (name, value), "basic" (username, password), ` +
			`"oauth2" (token_url, client_id, client_secret, perhaps scopes), "mtls" (certificate, key, perhaps authority) or "username_token" (username, password)`)
	}
	switch kind {
	case "header":
		return headerSecret(members["name"], members["value"])
	case "basic":
		return basicSecret(members["username"], members["password"])
	case "oauth2":
		if _, err := checkedURL("the token_url in the source's secret", members["token_url"]); err != nil {
			return nil, err
		}
		return &secret{oauth: &clientcredentials.Config{
			TokenURL: members["token_url"], ClientID: members["client_id"], ClientSecret: members["client_secret"], Scopes: scopes,
		}}, nil
	case "username_token":
		if !isXML(members["username"] + members["password"]) {
			return nil, errors.New("the source's secret has a character that XML cannot carry")
		}
		return &secret{user: &userToken{members["username"], members["password"]}}, nil
	default:
		return mutualSecret(members["certificate"], members["key"], members["authority"])
	}
}

// shape is which members a type of secret has.
type shape struct {
	required []string
	optional string // a text
	scopes   bool   // may have a list of them
}

func secretShape(kind string) (shape, bool) {
	switch kind {
	case "header":
		return shape{required: []string{"type", "name", "value"}}, true
	case "basic", "username_token":
		return shape{required: []string{"type", "username", "password"}}, true
	case "oauth2":
		return shape{required: []string{"type", "token_url", "client_id", "client_secret"}, scopes: true}, true
	case "mtls":
		return shape{required: []string{"type", "certificate", "key"}, optional: "authority"}, true
	}
	return shape{}, false
}

// fits reports whether a secret with these members has the shape.
func (s shape) fits(members map[string]string, scopes bool) bool {
	for name, value := range members {
		if value == "" || (name != s.optional && !slices.Contains(s.required, name)) {
			return false
		}
	}
	for _, name := range s.required {
		if members[name] == "" {
			return false
		}
	}
	return s.scopes || !scopes
}

// secretMembers returns the texts of a secret by their names, and its scopes; ok is
// false if it is anything else than an object of these.
func secretMembers(text string) (members map[string]string, scopes []string, ok bool) {
	var parser jsonscan.Parser
	members = map[string]string{}
	seen, sound := map[string]bool{}, utf8.ValidString(text)
	ok = sound && parser.Object([]byte(text), func(name []byte, value jsonscan.Value) {
		sound = sound && !seen[string(name)]
		seen[string(name)] = true
		switch {
		case value.Kind == jsonscan.String:
			members[string(name)] = string(value.Text)
		case value.Kind == jsonscan.Array && string(name) == "scopes":
			scopes = []string{}
			parser.Elements(value, func(scope jsonscan.Value) {
				sound = sound && scope.Kind == jsonscan.String && len(scope.Text) > 0
				scopes = append(scopes, string(scope.Text))
			})
		default:
			sound = false
		}
	})
	return members, scopes, ok && sound
}

func headerSecret(name, value string) (*secret, error) {
	switch canonical := http.CanonicalHeaderKey(name); {
	case !isToken(name):
		return nil, errors.New("the name in the source's secret is no name of a header")
	case slices.Contains([]string{"Accept", "Connection", "Content-Length", "Content-Type", "Host", "Transfer-Encoding"}, canonical):
		return nil, errors.New("the name in the source's secret is that of a header that every call has")
	case !isFieldValue(value):
		return nil, errors.New("the value in the source's secret cannot stand in a header")
	}
	return &secret{name: name, value: value}, nil
}

func basicSecret(username, password string) (*secret, error) {
	if strings.Contains(username, ":") || strings.ContainsFunc(username+password, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return nil, errors.New("the source's secret has a colon in its username, or a control character") // RFC 7617, section 2
	}
	return &secret{name: "Authorization", value: "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))}, nil
}

// mutualSecret is that of a certificate with its key. The authority, if there is one,
// takes the place of those of the system.
func mutualSecret(certificate, key, authority string) (*secret, error) {
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		return nil, errors.New("certificate and key in the source's secret are no pair in PEM") // err may quote them
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if authority != "" {
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM([]byte(authority)) {
			return nil, errors.New("the authority in the source's secret has no certificate in PEM")
		}
	}
	return &secret{mutual: cfg}, nil
}

// isToken reports whether s can be the name of a header (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

// isFieldValue reports whether s can be the value of a header: visible ASCII, with
// spaces only inside.
func isFieldValue(s string) bool {
	return s != "" && s == strings.TrimSpace(s) && !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c >= 0x7f })
}

// pass makes what lets calls in, by base unless a certificate is presented. It fails
// with a *Failure.
func (s *secret) pass(ctx context.Context, base *http.Client, now func() time.Time) (*pass, error) {
	switch {
	case s.oauth != nil:
		return tokenPass(ctx, base, s.oauth, now)
	case s.mutual != nil:
		transport, ok := base.Transport.(*http.Transport)
		if !ok {
			return nil, &Failure{Code: CodeUnauthorized, Reason: fmt.Sprintf("a %T presents no certificate", base.Transport)}
		}
		client := *base
		presenting := transport.Clone()
		presenting.TLSClientConfig = s.mutual.Clone()
		client.Transport = presenting
		return &pass{client: &client}, nil
	default:
		return &pass{client: base, name: s.name, value: s.value, user: s.user}, nil
	}
}
