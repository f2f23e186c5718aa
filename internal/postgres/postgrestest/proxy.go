package postgrestest

import (
	"bytes"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
)

// Loss is what a [Proxy] does to the next commit.
type Loss int32

// The losses.
const (
	LoseNothing Loss = iota
	LoseRequest      // the connection breaks before the server receives the commit
	LoseAnswer       // the connection breaks after the server committed
)

// Proxy stands between the product and the server and breaks a connection at a
// commit, once.
type Proxy struct {
	URL   string // of the database, through the proxy
	next  atomic.Int32
	spare atomic.Int32 // commits before the one that is lost
}

// Lose breaks the connection of the next commit.
func (p *Proxy) Lose(what Loss) { p.LoseAfter(what, 0) }

// LoseAfter breaks the connection of the commit that follows so many others.
func (p *Proxy) LoseAfter(what Loss, commits int32) {
	p.spare.Store(commits)
	p.next.Store(int32(what))
}

// Listen starts a proxy in front of the server of a connection string. It runs until
// the test ends.
func Listen(t testing.TB, databaseURL string) *Proxy {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	target := u.Host
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	u.Host = listener.Addr().String()
	p := &Proxy{URL: u.String()}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := new(net.Dialer).DialContext(t.Context(), "tcp", target)
			if err != nil {
				_ = client.Close()
				continue
			}
			p.carry(client, server)
		}
	}()
	return p
}

// carry passes bytes both ways until one side ends, or the commit is lost.
func (p *Proxy) carry(client, server net.Conn) {
	end := func() {
		_ = client.Close()
		_ = server.Close()
	}
	var swallow atomic.Bool
	pass := func(from, to net.Conn, each func([]byte) (forward bool)) {
		defer end()
		buffer := make([]byte, 1<<16)
		for {
			n, err := from.Read(buffer)
			if n > 0 && each(buffer[:n]) {
				if _, err := to.Write(buffer[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
	go pass(client, server, func(sent []byte) bool {
		if !bytes.Contains(sent, []byte("commit\x00")) {
			return true
		}
		if p.spare.Add(-1) >= 0 {
			return true
		}
		switch Loss(p.next.Swap(int32(LoseNothing))) {
		case LoseRequest:
			end()
			return false
		case LoseAnswer:
			swallow.Store(true)
		default:
		}
		return true
	})
	go pass(server, client, func(answered []byte) bool {
		if !swallow.Load() {
			return true
		}
		if bytes.Contains(answered, []byte("COMMIT\x00")) {
			end() // the server has committed
		}
		return false
	})
}
