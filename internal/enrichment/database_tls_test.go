package enrichment

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// encrypted answers PostgreSQL's request for TLS and hands on what is within. Nothing else
// comes before it.
func encrypted(t *testing.T, conn net.Conn, certificate, key string) (*tls.Conn, error) {
	t.Helper()
	request := make([]byte, 8)
	if _, err := io.ReadFull(conn, request); err != nil || binary.BigEndian.Uint32(request[4:]) != 80877103 {
		return nil, errors.New("no request for TLS")
	}
	if _, err := conn.Write([]byte("S")); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		return nil, err
	}
	within := tls.Server(conn, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}})
	return within, within.Handshake()
}

// TestDatabaseTLS: the connection to a server with a certificate of the secret's
// authority is encrypted, and the login goes by SCRAM.
func TestDatabaseTLS(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	a := newAuthority(t)
	certificate, key := a.issue(t)
	address := net.JoinHostPort(p.secret["host"].(string), p.secret["port"].(string))
	through := listen(t, func(client net.Conn) {
		defer client.Close()
		within, err := encrypted(t, client, certificate, key)
		if err != nil {
			t.Error(err)
			return
		}
		database, err := net.Dial("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		defer database.Close()
		go func() { _, _ = io.Copy(database, within) }()
		_, _ = io.Copy(within, database)
	})
	p.secret["host"], p.secret["port"], p.secret["ca"] = "localhost", through["port"], a.certificate
	asks(t, within(t, time.Minute), p.source(t, nil), "")
}

// TestDatabaseKeepsPassword: a server that is not the right one, or asks for the password
// otherwise than by SCRAM, learns nothing.
func TestDatabaseKeepsPassword(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	certificate, key := a.issue(t)
	asking := func(with pgproto3.BackendMessage) func(*tls.Conn) *pgproto3.Backend {
		return func(conn *tls.Conn) *pgproto3.Backend {
			server := pgproto3.NewBackend(conn, conn)
			if _, err := server.ReceiveStartupMessage(); err == nil {
				server.Send(with)
				_ = server.Flush()
			}
			return server
		}
	}
	for name, c := range map[string]struct {
		host, authority string
		begin           func(*tls.Conn) *pgproto3.Backend
		want            string
	}{
		"another authority":     {"localhost", newAuthority(t).certificate, nil, "certificate"},
		"another host":          {"127.0.0.1", a.certificate, nil, "certificate"},
		"the password in clear": {"localhost", a.certificate, asking(&pgproto3.AuthenticationCleartextPassword{}), ""},
		"the password by MD5":   {"localhost", a.certificate, asking(&pgproto3.AuthenticationMD5Password{}), ""},
		"no password at all":    {"localhost", a.certificate, asking(&pgproto3.AuthenticationOk{}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			served := make(chan struct{}, 2)
			secret := listen(t, func(client net.Conn) {
				defer func() { served <- struct{}{} }()
				defer client.Close()
				within, err := encrypted(t, client, certificate, key)
				if c.begin == nil {
					if err == nil {
						t.Error("the client accepts the certificate")
					}
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				c.begin(within)
				if rest, _ := io.ReadAll(within); bytes.Contains(rest, []byte(canary)) || len(rest) > 0 && rest[0] == 'p' {
					t.Errorf("the client goes on with %d bytes", len(rest))
				}
			})
			secret["host"], secret["ca"] = c.host, c.authority
			s := (&places{secret: secret}).source(t, nil)
			_, err := s.Lookup(within(t, time.Minute), []string{parisKey})
			if codeOf(t, err) != CodeUnreachable || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), canary) {
				t.Error(err)
			}
			<-served
		})
	}
	plain := listen(t, func(client net.Conn) { // a server without TLS
		defer client.Close()
		_, _ = client.Write([]byte("N"))
		if rest, _ := io.ReadAll(client); len(rest) != 8 {
			t.Errorf("the client goes on in clear with %d bytes", len(rest))
		}
	})
	plain["host"], plain["ca"] = "localhost", a.certificate
	asks(t, within(t, time.Minute), (&places{secret: plain}).source(t, nil), CodeUnreachable)
}

// TestDatabaseSecrets: what is exactly a secret is understood, and what is not is refused
// without being quoted.
func TestDatabaseSecrets(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	good := func(change func(map[string]any)) string {
		members := map[string]any{"engine": "postgres", "host": "db.example.com", "port": 5433, "dbname": "d", "username": "u", "password": canary, "ca": a.certificate}
		change(members)
		return secretOf(t, members)
	}
	for name, c := range map[string]struct {
		text string
		port uint16
		tls  bool
	}{
		"all":                              {good(func(map[string]any) {}), 5433, true},
		"no port":                          {good(func(m map[string]any) { delete(m, "port") }), 5432, true},
		"a port as text":                   {good(func(m map[string]any) { m["port"] = "5434" }), 5434, true},
		"no authority":                     {good(func(m map[string]any) { delete(m, "ca") }), 5433, true},
		"no TLS, which nobody can ask for": {good(func(m map[string]any) { m["sslmode"] = "disable" }), 5433, true},
		"this machine":                     {good(func(m map[string]any) { m["host"] = "127.0.0.1"; delete(m, "ca") }), 5433, false},
		"this machine with a name":         {good(func(m map[string]any) { m["host"] = "localhost" }), 5433, true},
	} {
		s, err := parseDatabaseSecret(c.text)
		switch {
		case err != nil || s.port != c.port || (s.tls != nil) != c.tls:
			t.Errorf("%s: %v", name, err)
		case c.tls && (s.tls.ServerName != s.Host || s.tls.InsecureSkipVerify || (s.tls.RootCAs != nil) != (s.CA != "")):
			t.Errorf("%s: %+v", name, s.tls)
		}
	}
	for name, text := range map[string]string{
		"empty":                 ``,
		"the bare password":     canary,
		"no host":               good(func(m map[string]any) { delete(m, "host") }),
		"no database":           good(func(m map[string]any) { m["dbname"] = "" }),
		"no user":               good(func(m map[string]any) { delete(m, "username") }),
		"no password":           good(func(m map[string]any) { delete(m, "password"); m["dbname"] = canary }),
		"a socket":              good(func(m map[string]any) { m["host"] = "/run/" + canary }),
		"several hosts":         good(func(m map[string]any) { m["host"] = canary + ",b" }),
		"a port that is none":   good(func(m map[string]any) { m["port"] = 70000 }),
		"a port of zero":        good(func(m map[string]any) { m["port"] = 0 }),
		"a port that is a text": good(func(m map[string]any) { m["port"] = canary }),
		"a number":              good(func(m map[string]any) { m["password"] = 1 }),
		"an authority of none":  good(func(m map[string]any) { m["ca"] = canary }),
	} {
		s, err := parseDatabaseSecret(text)
		if err == nil {
			t.Errorf("%s: port %d", name, s.port)
		} else if strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v quotes the secret", name, err)
		}
	}
}
