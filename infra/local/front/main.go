// Command front is a proxy in front of the emulator's S3 that keeps the bytes of large work
// objects out of it. The emulator is one Python process with one thread: carrying
// gigabytes of COPY streams would take more processor time than the functions.
//
// Of an uploaded part of a key that ends in ".copy" the emulator gets a reference
// of 64 bytes, and the part itself goes to a file; whoever reads the object gets
// the files in the place of the references. Everything else, versions, conditions,
// metadata and errors, is the emulator's, and every other request passes through.
// Of a GET of any other object the emulator answers the headers and names the file
// that holds the bytes; front sends them from there.
// What differs: lists show such an object with the size of its references.
//
//	front -addr 127.0.0.1:8096 -emulator http://127.0.0.1:4566 -dir .local/front
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8096", "loopback address and port to listen on")
	emulator := flag.String("emulator", "http://127.0.0.1:4566", "URL of the emulator")
	dir := flag.String("dir", ".local/front", "folder for the parts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *addr, *emulator, *dir)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "front:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr, emulator, dir string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("-addr: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("-addr: %q is no loopback address; the emulator has no access control", host)
	}
	target, err := url.Parse(emulator)
	if err != nil {
		return fmt.Errorf("-emulator: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("-dir: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	server := &http.Server{Handler: newFront(target, dir), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ended <- server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}
