package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"sync"
)

// proxy stands between the functions and PostgreSQL. It knows which step a
// transaction belongs to, because each begins with the step's ledger row, and can
// do something at its commit; and it can be down.
type proxy struct {
	listener net.Listener
	target   string // address of PostgreSQL

	mu      sync.Mutex
	down    bool
	refused int // connections that were refused or cut while it was down
	open    map[*link]bool
	trap    *trap
	failed  error // of the last trap
}

// trap is what happens at the commits of a step.
type trap struct {
	step string
	left int // how often it may happen
	// strike is called before the commit is passed on; false cuts the connection.
	strike func(*link) (forward bool)
	struck int
}

// link is one connection through the proxy.
type link struct {
	client, server net.Conn
	step           string // of the transaction under way
}

// clientPort is the port that the function's connection leaves from.
func (l *link) clientPort() int { return port(l.client.RemoteAddr()) }

// serverPort is the port that PostgreSQL knows as the client's.
func (l *link) serverPort() int { return port(l.server.LocalAddr()) }

func port(a net.Addr) int {
	tcp, _ := a.(*net.TCPAddr)
	return tcp.Port
}

func (l *link) close() {
	_ = l.client.Close()
	_ = l.server.Close()
}

// newProxy starts a proxy on a free port of 127.0.0.1.
func newProxy(ctx context.Context, target string) (*proxy, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: target, open: map[*link]bool{}}
	go p.accept()
	return p, nil
}

func (p *proxy) port() int { return port(p.listener.Addr()) }

// close ends the proxy and its connections.
func (p *proxy) close() {
	_ = p.listener.Close()
	p.cut()
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.open {
		l.close()
	}
}

// setDown lets the proxy refuse connections, or not; those that are open are cut.
func (p *proxy) setDown(down bool) {
	p.mu.Lock()
	p.down, p.refused = down, 0
	p.mu.Unlock()
	if down {
		p.cut()
	}
}

// refusals counts the connections that were refused since the proxy is down.
func (p *proxy) refusals() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

// set places a trap, in the place of the one before; nil removes it.
func (p *proxy) set(t *trap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trap = t
	if t != nil {
		p.failed = nil
	}
}

// count tells how often a trap was met, and why it did not do its work.
func (p *proxy) count(t *trap) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return t.struck, p.failed
}

// fail notes that a trap did not do its work.
func (p *proxy) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = err
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.serve(client)
	}
}

// serve passes bytes both ways until one side ends.
func (p *proxy) serve(client net.Conn) {
	p.mu.Lock()
	down := p.down
	if down {
		p.refused++
	}
	p.mu.Unlock()
	if down {
		_ = client.Close()
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{client: client, server: server}
	p.mu.Lock()
	p.open[l] = true
	p.mu.Unlock()
	go func() {
		p.carry(server, client, func([]byte) bool { return true })
		l.close()
	}()
	p.carry(client, server, func(sent []byte) bool { return p.inspect(l, sent) })
	l.close()
	p.mu.Lock()
	delete(p.open, l)
	p.mu.Unlock()
}

func (p *proxy) carry(from, to net.Conn, each func([]byte) (forward bool)) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if !each(buffer[:n]) {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// inspect looks at what a function sends: which step's ledger row it writes, and
// whether it commits.
func (p *proxy) inspect(l *link, sent []byte) (forward bool) {
	if name := stepIn(sent); name != "" {
		l.step = name
	}
	if !bytes.Contains(sent, []byte("commit\x00")) {
		return true
	}
	p.mu.Lock()
	t := p.trap
	if t == nil || t.left == 0 || t.step != l.step {
		p.mu.Unlock()
		return true
	}
	t.left--
	t.struck++
	p.mu.Unlock()
	return t.strike(l)
}

// stepIn finds a step's name among the parameters of a statement; each has its
// length before it.
func stepIn(sent []byte) string {
	for _, s := range steps() {
		if bytes.Contains(sent, append(binary.BigEndian.AppendUint32(nil, uint32(len(s.name))), s.name...)) { //nolint:gosec // a short name
			return s.name
		}
	}
	return ""
}
