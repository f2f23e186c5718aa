package control

import (
	"slices"
	"strings"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
)

// bounded refuses a request that accepts something twice, or more than there is to
// accept: etl.audit would not hold it.
func (r *Rerunner) bounded(request Request) error {
	different := slices.Compact(slices.Sorted(slices.Values(request.Accept)))
	most := len(r.config.Names.Resources())
	if len(different) != len(request.Accept) || len(different) > most {
		return refused(request, RefusedAcceptMany(most))
	}
	return nil
}

// acceptances returns what a request accepts, and who accepts it. It fails with *fault.Refused if it
// does not know one of them, or if the request is not a resume.
func (r *Rerunner) acceptances(request Request, by registry.Pending) ([]registry.Acceptance, error) {
	if len(request.Accept) == 0 {
		return nil, nil
	}
	refused := func(reason string) ([]registry.Acceptance, error) {
		return nil, &fault.Refused{ImportID: request.ImportID, Reason: reason}
	}
	if request.Mode != etl.KindResume && request.Mode != etl.KindContinue {
		return refused(RefusedAcceptMode)
	}
	var all []registry.Acceptance
	for _, asked := range request.Accept {
		what, resource, _ := strings.Cut(asked, "=")
		if what != registry.AcceptShrink || !slices.Contains(r.config.Names.Resources(), resource) {
			return refused(RefusedAccept(asked, r.config.Names.Resources()))
		}
		all = append(all, registry.Acceptance{What: what, Resource: resource, By: by.By, Trigger: by.Trigger})
	}
	return all, nil
}
