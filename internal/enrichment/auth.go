package enrichment

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"golang.org/x/oauth2"
)

// pass is what lets calls in: made from one reading of the secret, and never changed.
type pass struct {
	client      *http.Client  // presents the certificate, with mutual TLS
	name, value string        // the header of every call; empty if there is none
	token       *oauth2.Token // what value was made from, with OAuth 2.0
	user        *userToken    // what the envelope of every call carries; nil if nothing
}

// expired reports whether the pass lets nobody in any more, as far as can be known
// without asking.
func (p *pass) expired() bool { return p.token != nil && !p.token.Valid() }

// send makes a request with what lets it in. It fails with a *Failure.
func (p *pass) send(req *http.Request) (*http.Response, error) {
	if p.name != "" {
		req.Header.Set(p.name, p.value)
	}
	resp, err := p.client.Do(req)
	switch {
	case err == nil:
		return resp, nil
	case rejected(err):
		return nil, &Failure{Code: CodeUnauthorized, Reason: "the source ends the TLS connection"}
	default:
		return nil, transportFailure(err)
	}
}

// keeper keeps the pass of a source and replaces it. It is safe for concurrent use.
type keeper struct {
	base *http.Client // presents no certificate
	read func(context.Context) (string, error)
	now  func() time.Time

	envelopes bool // calls have one, which can carry a user's token

	turn    chan struct{} // full while a call reads or changes what follows
	secret  *secret       // nil until it was read
	current *pass         // nil until it was made
}

// newKeeper returns the keeper of the secret that read reads. If that is nil, calls
// carry nothing.
func newKeeper(base *http.Client, read func(context.Context) (string, error), now func() time.Time) *keeper {
	k := &keeper{base: base, read: read, now: now, turn: make(chan struct{}, 1)}
	if read == nil {
		k.current = &pass{client: base}
	}
	return k
}

// admit makes a call by attempt. If that fails as unauthorized, and there is a secret, it
// is made once more with credentials that are read again. It fails with a *Failure.
func (k *keeper) admit(ctx context.Context, attempt func(*pass) error) error {
	var refused *pass
	for {
		pass, err := k.pass(ctx, refused)
		if err != nil {
			return err
		}
		err = attempt(pass)
		failure, ok := errors.AsType[*Failure](err)
		if !ok || failure.Code != CodeUnauthorized || refused != nil || k.read == nil {
			return err
		}
		refused = pass
	}
}

// pass returns what lets a call in. Where refused is the current pass, the secret is
// read again and another made; otherwise another call has done so meanwhile.
// It fails with a *Failure.
func (k *keeper) pass(ctx context.Context, refused *pass) (*pass, error) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return nil, transportFailure(ctx.Err())
	}
	if k.current != nil && k.current != refused {
		if !k.current.expired() {
			return k.current, nil
		}
		// Only the token has expired. If its server refuses the secret, that may have
		// changed too.
		next, err := k.secret.pass(ctx, k.base, k.now)
		if failure, ok := errors.AsType[*Failure](err); !ok || failure.Code != CodeUnauthorized {
			return k.replace(next, err)
		}
	}
	text, err := k.read(ctx)
	if err != nil {
		return nil, secretFailure(err)
	}
	read, err := parseSecret(text)
	if err != nil {
		return nil, &Failure{Code: CodeUnauthorized, Reason: err.Error()}
	}
	if read.user != nil && !k.envelopes {
		return nil, &Failure{Code: CodeUnauthorized, Reason: "the source's secret is a username_token, which SOAP alone carries"}
	}
	k.secret = read
	return k.replace(k.secret.pass(ctx, k.base, k.now))
}

// replace makes next the current pass, unless it could not be made. Calls that use the
// former one are not disturbed.
func (k *keeper) replace(next *pass, err error) (*pass, error) {
	if err != nil {
		return nil, err
	}
	if k.current != nil && k.current.client != k.base {
		k.current.client.CloseIdleConnections()
	}
	k.current = next
	return next, nil
}

// secretFailure reports a secret that could not be read. The source is then as
// unusable as if it refused the secret.
func secretFailure(err error) *Failure {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return transportFailure(err)
	}
	return &Failure{Code: CodeUnauthorized, Reason: "the source's secret cannot be read: " + err.Error()}
}

// unauthorized reports whether a status says that the caller is not let in.
func unauthorized(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// rejected reports whether err is the source's own end of a TLS connection, which is
// how it refuses a certificate.
func rejected(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}
