package phase

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/totals"
)

// FileRecorder is what the phases that judge whole files need from the registry.
type FileRecorder interface {
	// RecordFileStatuses stores the status of sealed files, by resource. It is
	// idempotent. It fails with *registry.ChangedError if the generation is not the
	// current one.
	RecordFileStatuses(ctx context.Context, importID string, generation int, statuses map[string]registry.FileStatus) error
}

// refusedFile is a file that is faulty as a whole.
type refusedFile struct {
	resource, file, reason string
	byControl              bool // it differs from the control file
}

// refuse gives files the status «rejeté» in the database and in the registry, and
// fails with *[fault.InvalidFile]. If there are no files it does nothing. It may be
// repeated.
func refuse(ctx context.Context, db *postgres.DB, recorder FileRecorder, imp Import, files []refusedFile) error {
	if len(files) == 0 {
		return nil
	}
	invalid := &fault.InvalidFile{}
	var refusals []postgres.Refusal
	statuses := map[string]registry.FileStatus{}
	for _, f := range files {
		refusals = append(refusals, postgres.Refusal{Resource: f.resource, Reason: f.reason})
		invalid.Files = append(invalid.Files, fault.RefusedFile{File: f.file, Reason: f.reason})
		statuses[f.resource] = registry.FileStatus{Status: etl.FileRejected, Reason: f.reason, ByControl: f.byControl}
	}
	if err := db.RefuseFiles(ctx, imp.ImportID, imp.Generation, refusals); err != nil {
		return err
	}
	if err := recordStatuses(ctx, recorder, imp, statuses); err != nil {
		return err
	}
	return invalid
}

// recordStatuses stores file statuses in the registry.
func recordStatuses(ctx context.Context, recorder FileRecorder, imp Import, statuses map[string]registry.FileStatus) error {
	err := recorder.RecordFileStatuses(ctx, imp.ImportID, imp.Generation, statuses)
	if _, changed := errors.AsType[*registry.ChangedError](err); changed {
		return &fault.Superseded{ImportID: imp.ImportID, Generation: imp.Generation}
	}
	return err
}

// takeBack removes the status «rejeté» from files that an earlier execution of the
// generation refused and this one does not, because a limit was raised or the contract
// changed. Once Plan has succeeded, a status comes from CrossCheck and stays. The
// registry is written first: a second try finds in the database what remains to be done.
func (p *Plan) takeBack(ctx context.Context, imp Import, refused []refusedFile) error {
	still := make([]string, 0, len(refused))
	for _, f := range refused {
		still = append(still, f.resource)
	}
	taken, err := p.DB.RefusedBefore(ctx, imp.ImportID, imp.Generation, still)
	if err != nil || len(taken) == 0 {
		return err
	}
	statuses := map[string]registry.FileStatus{}
	for _, resource := range taken {
		statuses[resource] = registry.FileStatus{}
	}
	if err := recordStatuses(ctx, p.Recorder, imp, statuses); err != nil {
		return err
	}
	return p.DB.TakeFilesBack(ctx, imp.ImportID, imp.Generation, taken)
}

// refused returns the files that are faulty as a whole, in the order of the
// contract: those that Scan refused, and those that differ from the control file.
func (p *Plan) refused(ctx context.Context, in PlanIn) ([]refusedFile, error) {
	var files []refusedFile
	for _, s := range in.Scanned {
		if s.Refused != "" {
			files = append(files, refusedFile{resource: s.Resource, file: s.File, reason: s.Refused})
		}
	}
	if in.Control == nil {
		return files, nil
	}
	differing, err := p.differing(ctx, *in.Control, in.Scanned)
	if err != nil {
		return nil, err
	}
	for _, f := range differing {
		p.Log.ErrorContext(ctx, LogFileRefused, centrallog.ImportID(in.Import.ImportID), centrallog.File(f.file),
			centrallog.Details(f.reason), centrallog.Step(etl.StepLoading))
	}
	return append(files, differing...), nil
}

// differing returns the files that differ from the control file. The control file
// itself is refused if it cannot be read or does not name exactly the files that are
// there.
func (p *Plan) differing(ctx context.Context, control File, scanned []ScanOut) ([]refusedFile, error) {
	refuseControl := func(reason string) []refusedFile {
		return []refusedFile{{resource: control.Resource, file: control.File, reason: reason}}
	}
	body, err := p.Landing.Open(ctx, control.Key, control.VersionID)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	declared, err := totals.Parse(body)
	if faulty, ok := errors.AsType[*totals.Error](err); ok {
		return refuseControl(faulty.Error()), nil
	}
	if err != nil {
		return nil, err
	}
	var unnamed []string
	var files []refusedFile
	absent := declared.Names()
	for _, s := range scanned {
		want, named := declared.File(s.File)
		if !named {
			unnamed = append(unnamed, s.File)
			continue
		}
		absent = slices.DeleteFunc(absent, func(name string) bool { return name == s.File })
		if s.Refused != "" {
			continue // its records were not counted
		}
		found := totals.Total{Records: s.Records, Bytes: s.Bytes}
		if _, err := hex.Decode(found.SHA256[:], []byte(s.SHA256)); err != nil {
			return nil, err
		}
		if differences := want.Differences(found); differences != nil {
			files = append(files, refusedFile{resource: s.Resource, file: s.File, reason: controlDiffers(differences), byControl: true})
		}
	}
	if unnamed != nil || len(absent) > 0 {
		known := slices.DeleteFunc(slices.Clone(absent), func(name string) bool { return !p.hasType(name) })
		files = append(files, refuseControl(totals.OtherFiles(unnamed, known, len(absent)-len(known)))...)
	}
	return files, nil
}

// hasType reports whether a name begins with a file type of the contract. Any other
// name may contain anything and is not shown.
func (p *Plan) hasType(name string) bool {
	return slices.ContainsFunc(p.Contract.Resources, func(r *contract.Resource) bool {
		return strings.HasPrefix(name, r.FileType+"_") || strings.HasPrefix(name, r.Alias+"_")
	})
}

// controlDiffers returns how a file differs from its control totals.
func controlDiffers(differences []totals.Difference) string {
	texts := make([]string, len(differences))
	for i, d := range differences {
		texts[i] = d.String()
	}
	return totals.Differs(texts)
}
