// Command enrichment is the local stand-in for the systems that enrich: the REST API of
// clients and, under /products, the SOAP service of products. It speaks
// docs/enrichment/clients-openapi.yaml and products.wsdl and shares no code with the
// loader, so that the two agree on the documents alone.
//
// Its answers follow from the key: the same key always has the same answer, and
// about one key in fifty is unknown. POST /faults makes the API fail, for tests; GET
// /faults tells what it was asked. With a file of credentials, which has the form of
// the loader's secret, it lets in only who carries them; PUT /credentials changes
// them, and POST /token gives out tokens of OAuth 2.0. The service at /products/soap has
// the same controls under /products. It listens on this machine only, keeps nothing and
// logs no request.
//
//	enrichment -addr 127.0.0.1:8095 -credentials .local/enrichment-clients.json -products .local/enrichment-products.json
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
	clients := flag.String("credentials", "", "JSON file of what calls of the API must carry; empty for nothing")
	products := flag.String("products", "", "the same of the service of products")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *addr, *clients, *products, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "enrichment:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, who carries the credentials of the files. Once it listens it
// writes where, in one line.
func run(ctx context.Context, addr, clients, products string, out io.Writer) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("-addr: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("-addr: %q is no loopback address; this server has no access control", host)
	}
	ofClients, err := readCredentials(clients)
	if err != nil {
		return fmt.Errorf("-credentials: %w", err)
	}
	ofProducts, err := readCredentials(products)
	if err != nil {
		return fmt.Errorf("-products: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("cannot listen: %w; give a free port with -addr", err)
	}
	server := &http.Server{
		Handler:           newServer(ofClients, ofProducts),
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
