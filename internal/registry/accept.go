package registry

import (
	"slices"
	"strings"
	"time"

	"etl-dataloader/internal/etl"
)

// AcceptShrink accepts that a reload removes more rows from its table than
// MaxShrink allows; see [Acceptance].
const AcceptShrink = "shrink"

// Acceptance is a person's permission for one generation of an import to exceed a
// limit. A restart clears it, because what it was given for is computed anew.
type Acceptance struct {
	What     string      `dynamodbav:"what" json:"what"`         // AcceptShrink
	Resource string      `dynamodbav:"resource" json:"resource"` // target name, such as "produits"
	By       string      `dynamodbav:"by" json:"by"`             // identity of the person, as people read it
	Trigger  etl.Trigger `dynamodbav:"trigger" json:"trigger"`   // of the request
	At       time.Time   `dynamodbav:"at" json:"at"`
}

// String returns the acceptance as a request writes it, such as "shrink=produits".
func (a Acceptance) String() string { return a.What + "=" + a.Resource }

// Acceptances returns, in French, what was accepted for the attempt and by whom; ""
// if nothing was.
func (a Attempt) Acceptances() string {
	texts := make([]string, len(a.Accepted))
	for n, given := range a.Accepted {
		texts[n] = Accepted(given.String(), given.By)
	}
	return strings.Join(texts, ", ")
}

// Accepts reports whether a person let the current generation exceed a limit.
func (i Import) Accepts(what, resource string) bool {
	return slices.ContainsFunc(i.Accepted, func(a Acceptance) bool { return a.What == what && a.Resource == resource })
}

// accept adds acceptances. One that was given before stays as it is.
func (i *Import) accept(all []Acceptance, at time.Time) {
	for _, a := range all {
		if !i.Accepts(a.What, a.Resource) {
			a.At = at
			i.Accepted = append(slices.Clip(i.Accepted), a)
		}
	}
}
