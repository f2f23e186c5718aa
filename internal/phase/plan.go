package phase

import (
	"cmp"
	"context"
	"io"
	"slices"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/registry"
)

// PlanIn holds what the scan of each file found.
type PlanIn struct {
	Import  Import    `json:"import"`
	Scanned []ScanOut `json:"scanned"`
	Control *File     `json:"control"` // the date's control file; null: none
	Attempt int       `json:"attempt"`

	Settings Settings `json:"settings"`
}

// PlanOut is what the Distributed Maps read.
type PlanOut struct {
	Bucket        string             `json:"bucket"`
	Manifest      objectstore.Object `json:"manifest"`
	ResultsPrefix string             `json:"results_prefix"`
	Resources     []string           `json:"resources"` // tables to index after staging, the largest first
	Targets       []string           `json:"targets"`   // detached tables to index before publishing, the largest first
	Chunks        int                `json:"chunks"`
	Records       int64              `json:"records"`
	Enrichment    []ToEnrich         `json:"enrichment"` // empty: nothing to enrich
}

// ToEnrich are the chunks that an enrichment source is asked about.
type ToEnrich struct {
	Source   string             `json:"source"`
	Chunks   int                `json:"chunks"`
	Manifest objectstore.Object `json:"manifest"` // of these chunks alone
	// Concurrency is how many chunks are worked on at a time: no more than the source takes
	// calls.
	Concurrency int `json:"concurrency"`
}

// eventsTable stands for the events among the detached tables.
const eventsTable = "events"

// PlanRecorder is what Plan needs from the registry.
type PlanRecorder interface {
	FileRecorder
	// RecordPlan stores how many chunks each resource has. It is idempotent.
	RecordPlan(ctx context.Context, importID string, generation int, chunks map[string]int) error
}

// Plan writes the manifest of all chunks and creates the detached tables.
type Plan struct {
	Common
	DB       *postgres.DB
	Landing  *objectstore.Store // holds the control file
	Recorder PlanRecorder
	// MaxDailyRecords is how many records the files of a daily import may have in all,
	// since one transaction publishes them; 0 means no limit. An initial import has no
	// limit.
	MaxDailyRecords int64
}

// Run writes the manifest and creates the tables; a second run finds both. Before it
// does either, it fails with *[fault.InvalidFile] if files are faulty as a whole,
// naming all of them, and with *[fault.TooManyRecords] if a daily import is too large.
func (p *Plan) Run(ctx context.Context, in PlanIn) (PlanOut, error) {
	started := p.Now()
	refused, err := p.refused(ctx, in)
	if err != nil {
		return PlanOut{}, err
	}
	if err := p.takeBack(ctx, in.Import, refused); err != nil {
		return PlanOut{}, err
	}
	if err := refuse(ctx, p.DB, p.Recorder, in.Import, refused); err != nil {
		return PlanOut{}, err
	}
	if in.Control != nil {
		accepted := map[string]registry.FileStatus{in.Control.Resource: {Status: etl.FileValid}}
		if err := recordStatuses(ctx, p.Recorder, in.Import, accepted); err != nil {
			return PlanOut{}, err
		}
	}
	out := PlanOut{Bucket: p.Work.Bucket(), ResultsPrefix: in.Import.prefix() + "results"}
	chunks := map[string]int{}
	for _, s := range in.Scanned {
		out.Chunks += s.Chunks
		out.Records += s.Records
		chunks[s.Resource] = s.Chunks
	}
	out.Resources = largestFirst(in.Scanned)
	if in.Import.Mode == etl.ModeDaily && p.MaxDailyRecords > 0 && out.Records > p.MaxDailyRecords {
		return PlanOut{}, &fault.TooManyRecords{ImportID: in.Import.ImportID, Records: out.Records, Limit: p.MaxDailyRecords}
	}
	out.Targets = append([]string{eventsTable}, out.Resources...)
	if out.Manifest, err = p.manifest(ctx, in.Import, "manifest", in.Scanned); err != nil {
		return PlanOut{}, err
	}
	if out.Enrichment, err = p.toEnrich(ctx, in); err != nil {
		return PlanOut{}, err
	}
	if err := p.tables(ctx, in); err != nil {
		return PlanOut{}, err
	}
	if err := p.Recorder.RecordPlan(ctx, in.Import.ImportID, in.Import.Generation, chunks); err != nil {
		return PlanOut{}, err
	}
	p.done(ctx, in.Import, "", registry.Progress{State: etl.StatePlan, Read: out.Records}, started, importPlanned)
	return out, nil
}

// largestFirst returns the names of the resources, those with the most records first. A
// Map that began with the small ones would end with the largest running alone.
func largestFirst(scanned []ScanOut) []string {
	sorted := slices.SortedStableFunc(slices.Values(scanned), func(a, b ScanOut) int { return cmp.Compare(b.Records, a.Records) })
	names := make([]string, len(sorted))
	for i, s := range sorted {
		names[i] = s.Resource
	}
	return names
}

// manifest writes the list of the chunks of files, or finds it.
func (p *Plan) manifest(ctx context.Context, imp Import, name string, files []ScanOut) (objectstore.Object, error) {
	object, created, err := p.Work.PutOnce(ctx, imp.prefix()+name+".jsonl", nil, func(w io.Writer) error {
		return p.concatenate(ctx, files, w)
	})
	if err == nil && !bool(created) {
		object, err = p.Work.Read(ctx, object, func(io.Reader) error { return nil })
	}
	return object, err
}

// toEnrich writes a manifest for each enrichment source that has chunks.
func (p *Plan) toEnrich(ctx context.Context, in PlanIn) ([]ToEnrich, error) {
	sources := []ToEnrich{}
	files := map[string][]ScanOut{}
	limits := map[string]int{}
	for _, s := range in.Scanned {
		r, err := p.resource(s.Resource)
		if err != nil {
			return nil, err
		}
		if r.Enrichment == nil || s.Chunks == 0 {
			continue
		}
		source := r.Enrichment.Source
		if files[source] == nil {
			sources = append(sources, ToEnrich{Source: source})
		}
		files[source], limits[source] = append(files[source], s), r.Enrichment.Limits.CallsInFlight
	}
	for i := range sources {
		s := &sources[i]
		for _, f := range files[s.Source] {
			s.Chunks += f.Chunks
		}
		s.Concurrency = max(1, min(in.Settings.ChunkConcurrency, limits[s.Source], s.Chunks))
		var err error
		if s.Manifest, err = p.manifest(ctx, in.Import, "enrichment-"+s.Source, files[s.Source]); err != nil {
			return nil, err
		}
	}
	return sources, nil
}

// concatenate joins the lists of chunks, in the order of the contract.
func (p *Plan) concatenate(ctx context.Context, scanned []ScanOut, w io.Writer) error {
	for _, s := range scanned {
		body, err := p.Work.Open(ctx, s.Object.Key, s.Object.VersionID)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, body)
		_ = body.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// tables creates the detached tables and stores how many records each file has.
func (p *Plan) tables(ctx context.Context, in PlanIn) error {
	_, err := postgres.Once(ctx, p.DB, in.Import.unit(etl.StatePlan, "", 0), func(ctx context.Context, tx *postgres.Tx) (int, error) {
		from := postgres.Source{FileDate: in.Import.FileDate}
		for _, s := range in.Scanned {
			r, err := p.resource(s.Resource)
			if err != nil {
				return 0, err
			}
			if from.File, err = tx.SetRecords(ctx, s.Resource, s.Records); err != nil {
				return 0, err
			}
			from.FileType = r.FileType
			for _, kind := range []postgres.Kind{postgres.Staging, postgres.Target} {
				if err := in.Import.leaf(kind, s.Resource).Create(ctx, tx, from); err != nil {
					return 0, err
				}
			}
		}
		return len(in.Scanned), in.Import.leaf(postgres.Events, "").Create(ctx, tx, postgres.Source{FileDate: in.Import.FileDate})
	})
	return err
}
