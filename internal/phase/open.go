package phase

import (
	"context"
	"errors"
	"path"
	"strings"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/totals"
)

// OpenIn is the execution's input, with values from the context object.
type OpenIn struct {
	Import       Import `json:"import"`
	ExecutionARN string `json:"execution_arn"`
	Attempt      int    `json:"attempt"`
}

// OpenOut becomes the state of the whole execution.
type OpenOut struct {
	Import   Import   `json:"import"`
	Files    []File   `json:"files"`
	Control  *File    `json:"control"` // the date's control file; null: none
	Settings Settings `json:"settings"`
}

// Settings of the machine that come from the stack's parameters.
type Settings struct {
	ScanConcurrency  int `json:"scan_concurrency"`  // files read at a time
	ChunkConcurrency int `json:"chunk_concurrency"` // chunks processed at a time: bounds the connections to PostgreSQL
	IndexConcurrency int `json:"index_concurrency"` // tables indexed at a time
}

// Sealer is what Open needs from the registry.
type Sealer interface {
	// TakeSlot takes the slot of the one import that may run, or keeps it, if check
	// allows it, and returns the import as the registry knew it at that moment. It fails
	// with the error of check, with registry.ErrNotFound, or with *registry.TakenError
	// if another import holds the slot.
	TakeSlot(ctx context.Context, importID string, check func(registry.Import) error) (registry.Import, error)
	// Arrivals returns the newest object of each resource for a date, read
	// consistently.
	Arrivals(ctx context.Context, mode etl.Mode, fileDate string) (map[string]registry.Arrival, error)
	// Seal stores the list of object versions of a generation and returns the list
	// in force: the first one stored.
	Seal(ctx context.Context, importID string, generation int, files []registry.SealedFile) ([]registry.SealedFile, error)
	// Import returns what the registry knows of an import.
	Import(ctx context.Context, importID string) (registry.Import, error)
}

// Open checks that the ten files are there, and the control file if it is mandatory,
// seals their versions, and opens the import in the database with its data key.
type Open struct {
	Common
	Sealer      Sealer
	History     History
	DB          *postgres.DB
	KMS         protection.KMS
	FieldsKeyID string
	Settings    Settings
	// RequireControl makes the control file mandatory like the ten files.
	RequireControl bool
}

// Run opens the import. A second run finds the sealed list and the data key. It
// fails with *[fault.MissingFiles] while files are missing, with
// *[fault.Superseded] if the import was restarted or abandoned, and with
// *[fault.Refused] if the execution is not the one that the registry has for the
// import: the registry decides what is loaded, and how.
func (p *Open) Run(ctx context.Context, in OpenIn) (OpenOut, error) {
	started := p.Now()
	known, err := p.enter(ctx, in)
	if err != nil {
		return OpenOut{}, err
	}
	in.Import = Import{ImportID: known.ImportID, Generation: known.Generation, Mode: known.Mode, FileDate: known.FileDate}
	files, control, err := p.seal(ctx, in.Import, known)
	if err != nil {
		return OpenOut{}, err
	}
	imp, err := p.open(ctx, in, files)
	if err != nil {
		return OpenOut{}, err
	}
	p.done(ctx, imp, "", registry.Progress{State: etl.StateOpen}, started, importOpened)
	return OpenOut{Import: imp, Files: files, Control: control, Settings: p.Settings}, nil
}

// enter takes the slot for the execution, or refuses it. A redrive in the console, or
// an execution started by hand, gets here without any earlier check.
func (p *Open) enter(ctx context.Context, in OpenIn) (registry.Import, error) {
	imp := in.Import
	refused := func(reason string, foreign bool) error {
		return &fault.Refused{ImportID: imp.ImportID, Reason: reason, Foreign: foreign}
	}
	if len(imp.ImportID) > maxImportID {
		imp.ImportID = ""
		return registry.Import{}, refused(unknownExecution, true)
	}
	known, err := p.Sealer.TakeSlot(ctx, imp.ImportID, func(known registry.Import) error {
		switch {
		case imp.Generation < known.Generation:
			return &fault.Superseded{ImportID: imp.ImportID, Generation: imp.Generation}
		case imp.Generation > known.Generation || imp.Mode != known.Mode || imp.FileDate != known.FileDate:
			return refused(forgedInput(known.ImportID, known.Mode, known.FileDate, known.Generation), true)
		case in.ExecutionARN != known.ExecutionARN:
			return refused(foreignExecution(known.ImportID), true)
		case known.Status == etl.StatusSucceeded || known.Status == etl.StatusAbandoned:
			return &fault.Superseded{ImportID: imp.ImportID, Generation: imp.Generation}
		default:
			return nil
		}
	})
	if errors.Is(err, registry.ErrNotFound) {
		return known, refused(unknownExecution, true)
	}
	if taken, ok := errors.AsType[*registry.TakenError](err); ok {
		return known, refused(slotTaken(taken.Holder), false)
	}
	return known, err
}

// maxImportID bounds an import_id in bytes: a longer one is invalid, and may be too
// long for the registry's key.
const maxImportID = 64

// seal returns the sealed files in the order of the contract, and the control file
// if there is one.
func (p *Open) seal(ctx context.Context, imp Import, known registry.Import) (files []File, control *File, err error) {
	sealed := known.Files
	if !known.Sealed() {
		if sealed, err = p.sealNewest(ctx, imp); err != nil {
			return nil, nil, err
		}
	}
	for _, s := range sealed {
		file := File{
			Resource: s.Resource, File: path.Base(s.Key), Key: s.Key, VersionID: s.VersionID, Bytes: s.Size,
			Format: strings.TrimPrefix(path.Ext(s.Key), "."),
		}
		if s.Resource == totals.Prefix {
			control = &file
			continue
		}
		files = append(files, file)
	}
	return files, control, nil
}

// sealNewest seals the newest object of each resource, and warns of those that came
// meanwhile.
func (p *Open) sealNewest(ctx context.Context, imp Import) ([]registry.SealedFile, error) {
	log := p.Log.With(centrallog.ImportID(imp.ImportID), centrallog.Step(etl.StepLoading))
	arrivals, err := p.Sealer.Arrivals(ctx, imp.Mode, imp.FileDate)
	if err != nil {
		return nil, err
	}
	var sealed []registry.SealedFile
	var missing []string
	for _, r := range p.Contract.Resources {
		a, ok := arrivals[r.Name]
		if !ok {
			missing = append(missing, r.FileType)
			continue
		}
		sealed = append(sealed, sealedFile(r.Name, a))
	}
	if a, ok := arrivals[totals.Prefix]; ok {
		sealed = append(sealed, sealedFile(totals.Prefix, a))
	} else if p.RequireControl {
		missing = append(missing, totals.Prefix)
	}
	if missing != nil {
		log.ErrorContext(ctx, FilesMissing, centrallog.Details(strings.Join(missing, ", ")))
		return nil, &fault.MissingFiles{ImportID: imp.ImportID, Missing: missing}
	}
	if sealed, err = p.Sealer.Seal(ctx, imp.ImportID, imp.Generation, sealed); err != nil {
		return nil, err
	}
	known, err := p.Sealer.Import(ctx, imp.ImportID)
	if err != nil {
		return nil, err
	}
	if arrivals, err = p.Sealer.Arrivals(ctx, imp.Mode, imp.FileDate); err != nil {
		return nil, err
	}
	for _, late := range known.Unused(arrivals) {
		log.WarnContext(ctx, message.LogLateFile, centrallog.File(late.Key), centrallog.Details(message.LateFile(imp.ImportID, known.Status)))
	}
	return sealed, nil
}

func sealedFile(resource string, a registry.Arrival) registry.SealedFile {
	return registry.SealedFile{Resource: resource, Key: a.Key, VersionID: a.VersionID, Size: a.Size, ETag: a.ETag, LastModified: a.LastModified}
}

// open writes the import, its files, its attempts and its data key.
func (p *Open) open(ctx context.Context, in OpenIn, files []File) (Import, error) {
	imp := in.Import
	if err := p.DB.Enter(ctx, registry.Import{ImportID: imp.ImportID, Mode: imp.Mode, FileDate: imp.FileDate, Generation: imp.Generation}, p.Contract.Hash); err != nil {
		return imp, err
	}
	key, err := p.dataKey(ctx, imp)
	if err != nil {
		return imp, err
	}
	imp.KeyID, imp.WrappedKey = key.ID, key.Ciphertext
	_, err = postgres.Once(ctx, p.DB, imp.unit(etl.StateOpen, "", 0), func(ctx context.Context, tx *postgres.Tx) (int, error) {
		for _, f := range files {
			file := postgres.File{Resource: f.Resource, File: f.File, Key: f.Key, VersionID: f.VersionID, Bytes: f.Bytes}
			if err := tx.AddFile(ctx, file); err != nil {
				return 0, err
			}
		}
		return len(files), nil
	})
	if err != nil {
		return imp, err
	}
	return imp, recordAttempts(ctx, p.DB, p.History, imp, in.ExecutionARN, in.Attempt)
}

// dataKey returns the import's data key, creating it if there is none. The first
// writer wins; a losing key is never used.
func (p *Open) dataKey(ctx context.Context, imp Import) (postgres.DataKey, error) {
	key, found, err := p.DB.DataKey(ctx, imp.ImportID)
	if err != nil || found {
		return key, err
	}
	ciphertext, err := protection.GenerateDataKey(ctx, p.KMS, p.FieldsKeyID, imp.ImportID)
	if err != nil {
		return postgres.DataKey{}, err
	}
	if err := p.DB.StoreDataKey(ctx, imp.ImportID, ciphertext); err != nil {
		return postgres.DataKey{}, err
	}
	key, _, err = p.DB.DataKey(ctx, imp.ImportID)
	return key, err
}
