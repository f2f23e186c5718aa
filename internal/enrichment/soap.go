package enrichment

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"etl-dataloader/internal/contract"
)

// SOAPConfig describes a SOAP source. docs/enrichment/products.wsdl is the service that
// its system must offer.
type SOAPConfig struct {
	// URL is the address of the service's port, such as
	// "https://products.example.com/soap". The rules for it are those of [RESTConfig].
	URL string
	// Version is that of SOAP.
	Version contract.SOAPVersion
	// Name is the source's name in the contract, such as "products". The elements of
	// requests and answers are of the namespace "urn:etl-dataloader:enrichment:<Name>:v1".
	Name string
	// Fields are the fields of an answer for a key that was found.
	Fields []contract.EnrichedField
	// Connections is how many connections are kept open, at least 1. It should equal
	// the number of concurrent calls.
	Connections int
	// Secret reads the secret that authenticates the calls, see [SOAP]; nil is none.
	// Its errors quote nothing of the secret.
	Secret func(context.Context) (string, error)
	// Batches has even one key asked for by LookupList, so that a probe of the initial
	// import asks what its batches ask.
	Batches bool
	// Now returns the time, for a Retry-After that is a date.
	Now func() time.Time
}

// SOAP is a [Source] that calls a SOAP service: the operation Lookup for one key,
// LookupList for several, document/literal wrapped.
//
// It authenticates like [REST], or by a UsernameToken of WS-Security with the password as
// text. A fault has the cause that its code tells: the sender's is a refusal, one of
// WS-Security says that the credentials are refused, any other is the source's.
type SOAP struct {
	keeper    *keeper
	url       string
	envelope  envelope
	namespace string
	batches   bool
	fields    []answerField
	now       func() time.Time
}

// The operations of a service.
const (
	lookupOne  = "Lookup"
	lookupList = "LookupList"
)

// NewSOAP returns the source that cfg describes. It fails if the URL is not one
// to which keys may be sent, or something is missing.
func NewSOAP(cfg SOAPConfig) (*SOAP, error) {
	if cfg.Name == "" || len(cfg.Fields) == 0 || cfg.Connections < 1 || cfg.Now == nil {
		return nil, errors.New("enrichment: a SOAP source needs a name, fields, connections and a clock")
	}
	envelope, ok := envelopeOf(cfg.Version)
	if !ok {
		return nil, fmt.Errorf("enrichment: source %s: SOAP %q is neither 1.1 nor 1.2", cfg.Name, cfg.Version)
	}
	at, err := checkedURL("the URL of source "+cfg.Name, cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("enrichment: %w", err)
	}
	fields, err := answerFields(cfg.Fields)
	if err != nil {
		return nil, fmt.Errorf("enrichment: source %s: %w", cfg.Name, err)
	}
	keeper := newKeeper(newHTTPClient(cfg.Connections), cfg.Secret, cfg.Now)
	keeper.envelopes = true
	return &SOAP{
		keeper: keeper, url: at.String(), envelope: envelope, namespace: "urn:etl-dataloader:enrichment:" + cfg.Name + ":v1",
		batches: cfg.Batches, fields: fields, now: cfg.Now,
	}, nil
}

// Lookup implements [Source]. A key with a character that XML cannot carry is not asked.
func (s *SOAP) Lookup(ctx context.Context, keys []string) ([]Outcome, error) {
	asked := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !isXML(key) })
	answered, err := s.ask(ctx, asked)
	if err != nil || len(asked) == len(keys) {
		return answered, err
	}
	outcomes := failed(len(keys), CodeUnusableKey)
	for i, key := range keys {
		if isXML(key) {
			outcomes[i], answered = answered[0], answered[1:]
		}
	}
	return outcomes, nil
}

// ask asks for keys that XML can carry.
func (s *SOAP) ask(ctx context.Context, keys []string) ([]Outcome, error) {
	operation := lookupList
	switch {
	case len(keys) == 0:
		return nil, nil
	case len(keys) == 1 && !s.batches:
		operation = lookupOne
	}
	payload := s.payload(operation, keys)
	var outcomes []Outcome
	err := s.keeper.admit(ctx, func(pass *pass) error {
		resp, err := s.send(ctx, pass, operation, payload)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		outcomes, err = s.read(resp, operation, keys)
		return err
	})
	if err != nil {
		return nil, err
	}
	return outcomes, nil
}

// read reads an answer. It fails with a *Failure.
func (s *SOAP) read(resp *http.Response, operation string, keys []string) ([]Outcome, error) {
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusBadRequest, http.StatusInternalServerError: // what faults come with
		if fault := s.faultIn(resp); fault != nil {
			return nil, fault.failure(resp, s.now())
		}
		return nil, statusFailure(resp, s.now())
	default:
		return nil, statusFailure(resp, s.now())
	}
	sent, ok := envelopeIn(resp.Header)
	if !ok {
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the answer is neither text/xml nor application/soap+xml, in UTF-8"}
	}
	answer, err := readAnswer(resp.Body)
	if err != nil {
		return nil, err
	}
	message, err := s.parse(answer, operation, keys)
	switch {
	case err != nil:
		return nil, err
	case message.fault != nil:
		return nil, message.fault.failure(resp, s.now())
	case sent != s.envelope || message.envelope != s.envelope:
		return nil, &Failure{Code: CodeInvalidAnswer, Reason: "the answer is of another version of SOAP"}
	}
	return message.outcomes, nil
}

// faultIn returns the fault in an answer; nil if there is none that can be read.
func (s *SOAP) faultIn(resp *http.Response) *fault {
	if _, ok := envelopeIn(resp.Header); !ok {
		return nil
	}
	if answer, err := readAnswer(resp.Body); err == nil {
		if message, err := s.parse(answer, "", nil); err == nil {
			return message.fault
		}
	}
	return nil
}
