package main

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
)

// echo is a server that sends back what it receives, and counts connections.
func echo(t *testing.T) (address string, connections *atomic.Int32) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	connections = new(atomic.Int32)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	return listener.Addr().String(), connections
}

// through starts a proxy before an echo.
func through(t *testing.T) (*proxy, *atomic.Int32) {
	t.Helper()
	target, connections := echo(t)
	p, err := newProxy(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p, connections
}

func dial(t *testing.T, p *proxy) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", p.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// say sends a message and reads it back; an error means that the connection ended.
func say(conn net.Conn, message string) error {
	if _, err := conn.Write([]byte(message)); err != nil {
		return err
	}
	back := make([]byte, len(message))
	if _, err := io.ReadFull(conn, back); err != nil {
		return err
	}
	if string(back) != message {
		return errors.New("another message came back")
	}
	return nil
}

const (
	stageRow = "B\x00\x00\x00\x05Stage\x00\x00\x00\x07clients"
	planRow  = "B\x00\x00\x00\x04Plan"
	commit   = "Q\x00\x00\x00\x0bcommit\x00"
)

func TestTrapStrikesAtTheCommitOfItsStep(t *testing.T) {
	p, _ := through(t)
	ports := make(chan int, 9)
	trap := &trap{step: "Stage", left: 1, strike: func(l *link) bool {
		ports <- l.clientPort()
		return false
	}}
	p.set(trap)
	other := dial(t, p)
	for _, message := range []string{planRow, commit, "Q\x00\x00\x00\x05Stage without its commit"} {
		if err := say(other, message); err != nil {
			t.Fatalf("%q: %v", message, err)
		}
	}
	ours := dial(t, p)
	if err := say(ours, stageRow); err != nil {
		t.Fatal(err)
	}
	if err := say(ours, commit); err == nil {
		t.Error("the commit went through")
	}
	again := dial(t, p)
	if err := errors.Join(say(again, stageRow), say(again, commit)); err != nil {
		t.Errorf("the trap strikes more often than asked: %v", err)
	}
	struck, err := p.count(trap)
	if struck != 1 || err != nil || len(ports) != 1 {
		t.Fatalf("struck %d times, at %d ports, %v; want once", struck, len(ports), err)
	}
	if got := <-ports; got != port(ours.LocalAddr()) {
		t.Errorf("struck at the port %d, want %d", got, port(ours.LocalAddr()))
	}
}

func TestTrapThatHoldsPassesTheCommitOn(t *testing.T) {
	p, _ := through(t)
	held, let := make(chan bool), make(chan bool)
	p.set(&trap{step: "Plan", left: 1, strike: func(*link) bool {
		held <- true
		return <-let
	}})
	conn := dial(t, p)
	if err := say(conn, planRow); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- say(conn, commit) }()
	<-held
	select {
	case err := <-done:
		t.Fatalf("the commit was not held: %v", err)
	default:
	}
	let <- true
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestTrapThatDidNotWork(t *testing.T) {
	p, _ := through(t)
	trap := &trap{step: "Plan", left: 1, strike: func(*link) bool {
		p.fail(errors.New("no such process"))
		return true
	}}
	p.set(trap)
	conn := dial(t, p)
	if err := errors.Join(say(conn, planRow), say(conn, commit)); err != nil {
		t.Fatal(err)
	}
	if struck, err := p.count(trap); struck != 1 || err == nil {
		t.Errorf("struck %d times, %v", struck, err)
	}
}

func TestDown(t *testing.T) {
	p, connections := through(t)
	open := dial(t, p)
	if err := say(open, "a"); err != nil {
		t.Fatal(err)
	}
	p.setDown(true)
	if err := say(open, "b"); err == nil {
		t.Error("an open connection survives")
	}
	if err := say(dial(t, p), "c"); err == nil {
		t.Error("a new connection is served")
	}
	if p.refusals() != 1 || connections.Load() != 1 {
		t.Errorf("%d refusals, %d connections", p.refusals(), connections.Load())
	}
	p.setDown(false)
	if err := say(dial(t, p), "d"); err != nil {
		t.Errorf("the proxy stays down: %v", err)
	}
}

func TestStepIn(t *testing.T) {
	for sent, want := range map[string]string{
		stageRow: "Stage", planRow: "Plan", "\x00\x00\x00\x0cIndexStaging": "IndexStaging", "INSERT INTO staging": "", "\x00\x00\x00\x06Stages": "", "": "",
	} {
		if got := stepIn([]byte(sent)); got != want {
			t.Errorf("%q is of %q, want %q", sent, got, want)
		}
	}
}
