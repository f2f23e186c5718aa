// Command enrichment is the local stand-in for the API that enriches clients.
// It speaks docs/enrichment/clients-openapi.yaml and shares no code with the
// loader, so that the two agree on the document alone.
//
// Its answers follow from the key: the same key always has the same answer, and
// about one key in fifty is unknown. POST /faults makes it fail, for tests; GET
// /faults tells what it was asked. With a file of credentials, which has the form of
// the loader's secret, it lets in only who carries them; PUT /credentials changes
// them, and POST /token gives out tokens of OAuth 2.0. It listens on this machine only,
// keeps nothing and logs no request.
//
//	enrichment -addr 127.0.0.1:8095 -credentials .local/enrichment.json
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8095", "loopback address and port to listen on; port 0 takes a free one")
	file := flag.String("credentials", "", "JSON file of what calls must carry; empty for nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *addr, *file, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "enrichment:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, who carries the credentials of file. Once it listens it
// writes where, in one line.
func run(ctx context.Context, addr, file string, out io.Writer) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("-addr: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("-addr: %q is no loopback address; this server has no access control", host)
	}
	var allowed credentials
	if file != "" {
		if allowed, err = readCredentials(file); err != nil {
			return fmt.Errorf("-credentials: %w", err)
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("cannot listen: %w; give a free port with -addr", err)
	}
	server := &http.Server{
		Handler:           newStandIn(allowed),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		// Ends calls that the server holds, so that the server stops at once.
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	_, _ = fmt.Fprintf(out, "enrichment: listening on http://%s\n", listener.Addr())
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(grace)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
