package postgres_test

import (
	"bytes"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
)

// loss is what a proxy does to the next commit.
type loss int32

const (
	loseNothing loss = iota
	loseRequest      // the connection breaks before the server hears of the commit
	loseAnswer       // the connection breaks after the server committed
)

// proxy stands between the product and the server and breaks a connection at a
// commit, once.
type proxy struct {
	url  string // of the database, through the proxy
	next atomic.Int32
}

func (p *proxy) lose(what loss) { p.next.Store(int32(what)) }

// listen starts a proxy before the server of a connection string.
func listen(t *testing.T, databaseURL string) *proxy {
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
	p := &proxy{url: u.String()}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
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
func (p *proxy) carry(client, server net.Conn) {
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
		switch loss(p.next.Swap(int32(loseNothing))) {
		case loseRequest:
			end()
			return false
		case loseAnswer:
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
