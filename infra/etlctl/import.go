package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// importCommand uploads the files of a folder and follows their import.
type importCommand struct {
	Mode     etl.Mode      `help:"${import_mode}" enum:"initial,daily" required:"" placeholder:"MODE"`
	Dir      string        `help:"${import_dir}" required:"" placeholder:"DOSSIER"`
	Date     string        `help:"${import_date}" placeholder:"AAAA-MM-JJ"`
	NoFollow bool          `help:"${no_follow}"`
	Timeout  time.Duration `help:"${timeout}" default:"60m"`
}

// Run runs the command.
func (i *importCommand) Run(ctx context.Context, c *console) error {
	if _, err := time.Parse(time.DateOnly, i.Date); i.Date != "" && err != nil {
		return &usageError{textBadDate}
	}
	ctx, cancel := within(ctx, i.Timeout)
	defer cancel()
	s, err := c.open(ctx, "LANDING_BUCKET", "WORK_BUCKET", "REGISTRY_TABLE")
	if err != nil {
		return err
	}
	found, err := readFolder(i.Dir, i.Mode, i.Date, s.names)
	if err != nil {
		return err
	}
	show := newDisplay(c)
	for _, left := range found.Left {
		show.note(left)
	}
	d := delivery{
		mode: i.Mode, folder: found, show: show, objects: s.registry,
		upload: newBucketUploader(s.objects, s.landing), bucket: s.landing,
		totals:  totalsMaker{pkg: s.pkg, names: s.names, there: bucketTotals{s.objects, s.landing}}.add,
		waiting: s.waiting(),
		follow:  follower{imports: s.registry, show: show, now: c.now, pause: c.pause},
	}
	importID, err := d.deliver(ctx, i.NoFollow)
	if err != nil {
		return stopped(ctx, err, importID, i.Timeout)
	}
	if i.NoFollow {
		c.say(textDeposited(i.Mode, found.Date))
		return nil
	}
	return c.followed(ctx, d.follow, importID, i.Timeout, s.work, d.unused)
}

// delivery brings the files of a folder to an import.
type delivery struct {
	mode    etl.Mode
	folder  folder
	show    display
	upload  uploader
	bucket  string
	objects objects
	totals  func(context.Context, folder) (with folder, remove func(), err error)
	waiting waiting
	follow  follower

	versions map[string]string // uploaded versions by key
}

// objects lists the arrivals of a date; *registry.Registry implements it. Reads are
// strongly consistent.
type objects interface {
	Objects(ctx context.Context, mode etl.Mode, date string) ([]registry.Arrival, error)
}

// deliver uploads the files and returns the import that takes them as soon as it runs.
// With leave it returns after the upload. It fails with toldError if no import will run
// without somebody's help.
func (d *delivery) deliver(ctx context.Context, leave bool) (importID string, err error) {
	before, taken, err := d.before(ctx)
	if err != nil || taken {
		return before.ImportID, err
	}
	old, err := d.recorded(ctx)
	if err != nil {
		return "", err
	}
	whole, remove, err := d.totals(ctx, d.folder)
	defer remove()
	if err != nil {
		return before.ImportID, err
	}
	d.show.note(textUploading(len(whole.Files), message.Bytes(whole.bytes()), d.bucket, string(d.mode)))
	if d.versions, err = d.uploadInOrder(ctx, whole); err != nil || leave {
		return before.ImportID, err
	}
	if err := d.arrive(ctx, old); err != nil {
		return before.ImportID, err
	}
	return d.start(ctx, before)
}

// uploadInOrder uploads the files, control totals before all others, and returns
// the versions by key.
func (d *delivery) uploadInOrder(ctx context.Context, f folder) (map[string]string, error) {
	versions := map[string]string{}
	if f.Files[0].Resource == landing.Control {
		d.show.note(textTotals(f.Files[0].Name))
		var err error
		if versions, err = uploadAll(ctx, d.upload, folder{Date: f.Date, Files: f.Files[:1]}, d.show); err != nil {
			return nil, err
		}
		f.Files = f.Files[1:]
	}
	others, err := uploadAll(ctx, d.upload, f, d.show)
	maps.Copy(versions, others)
	return versions, err
}

// before returns the import that the date already has; zero for none. taken means that
// it has taken these very files, so that they need no upload. before refuses an upload
// that nothing would ever read.
func (d *delivery) before(ctx context.Context) (imp registry.Import, taken bool, err error) {
	importID, found, err := d.waiting.imports.ImportOf(ctx, d.mode, d.folder.Date)
	if err != nil {
		return imp, false, err
	}
	if !found {
		published, err := d.waiting.dates.Published(ctx)
		if err == nil && d.mode == etl.ModeInitial && len(published) > 0 {
			d.show.note(textInitialTooLate)
			err = toldError{}
		}
		return imp, false, err
	}
	if imp, err = d.waiting.imports.Import(ctx, importID); err != nil {
		return imp, false, err
	}
	taken = imp.Sealed() && d.identical(ctx, imp)
	switch {
	case taken:
		d.show.note(textAlreadyTaken(imp.ImportID, imp.Mode, imp.FileDate))
	case imp.Status == etl.StatusSucceeded:
		d.show.note(textAlreadyDone(imp.ImportID, imp.Mode, imp.FileDate))
		return imp, false, toldError{}
	case imp.Status == etl.StatusRunning && imp.Sealed():
		d.show.note(textSealedRunning(imp.ImportID))
	case imp.Status != etl.StatusRunning:
		d.show.note(textEarlierFailed(imp.ImportID, imp.Status, imp.Step, imp.Reason))
		if imp.Fault == etl.FaultMissingFiles && imp.Status == etl.StatusFailed {
			d.show.note(textWillResume(imp.ImportID))
		}
	}
	return imp, taken, nil
}

// identical reports whether the sealed list of an import has the content of every file
// in the folder.
func (d *delivery) identical(ctx context.Context, imp registry.Import) bool {
	versions := map[string]string{}
	for _, f := range imp.Files {
		versions[f.Key] = f.VersionID
	}
	for _, file := range d.folder.Files {
		version, ok := versions[file.key()]
		if !ok || !d.upload.same(ctx, file, version) {
			return false
		}
	}
	return true
}

// recorded returns the versions that the registry knows, by key.
func (d *delivery) recorded(ctx context.Context) (map[string]string, error) {
	all, err := d.objects.Objects(ctx, d.mode, d.folder.Date)
	versions := map[string]string{}
	for _, a := range all {
		versions[a.Key] = a.VersionID
	}
	return versions, err
}

// arrive waits until the registry knows the uploaded files, or newer ones. If a
// notification is lost, the sweep finds the file within minutes.
func (d *delivery) arrive(ctx context.Context, old map[string]string) error {
	told := -1
	return d.follow.poll(ctx, func(beat *rhythm) (bool, error) {
		now, err := d.recorded(ctx)
		if err != nil {
			return false, err
		}
		known := 0
		for key, version := range d.versions {
			recorded, ok := now[key]
			if ok && (recorded == version || version == "" || recorded != old[key]) {
				known++
			}
		}
		if known != told {
			d.show.note(textWaitingArrivals(known, len(d.versions)))
			told = known
			beat.reset()
		}
		return known == len(d.versions), nil
	})
}

// start waits until an import runs that may take the files, and returns it. While there
// is none it shows why, and it fails with toldError once nothing will happen without a
// person.
func (d *delivery) start(ctx context.Context, before registry.Import) (importID string, err error) {
	var told string
	var since time.Time
	err = d.follow.poll(ctx, func(beat *rhythm) (bool, error) {
		id, found, err := d.waiting.imports.ImportOf(ctx, d.mode, d.folder.Date)
		if err != nil {
			return false, err
		}
		importID = id
		var why wait
		if found {
			imp, err := d.waiting.imports.Import(ctx, id)
			if err != nil {
				return false, err
			}
			if imp.Status == etl.StatusRunning || imp.Attempts > before.Attempts {
				return true, nil
			}
			why, err = d.stuck(ctx, imp)
			if err != nil {
				return false, err
			}
		} else if why, err = d.waiting.why(ctx, d.mode, d.folder.Date); err != nil {
			return false, err
		} else {
			why.Reason = textWaiting(d.mode, d.folder.Date, why.Reason)
		}
		if why.Reason != told {
			d.show.note(why.Reason)
			told, since = why.Reason, d.follow.now()
			beat.reset()
		}
		if why.Person && (why.Sure || d.follow.now().Sub(since) > patience) {
			d.show.note(textNoMore)
			return false, toldError{}
		}
		return false, nil
	})
	return importID, err
}

// stuck shows what a failed or abandoned import needs in order to take the files that
// are now there.
func (d *delivery) stuck(ctx context.Context, imp registry.Import) (wait, error) {
	switch {
	case imp.Status == etl.StatusFailed && imp.Fault == etl.FaultMissingFiles:
		missing, err := d.waiting.missing(ctx, imp.Mode, imp.FileDate)
		if err != nil {
			return wait{}, err
		}
		if len(missing) > 0 {
			return wait{Reason: textWaitsForFiles(missing), Person: true, Sure: true}, nil
		}
		holder, err := d.waiting.dates.Slot(ctx)
		if err != nil || holder == "" || holder == imp.ImportID {
			return wait{Reason: textWillResume(imp.ImportID), Person: true}, err
		}
		return d.waiting.behind(ctx, holder)
	case imp.Status == etl.StatusFailed && !imp.Sealed():
		return wait{Reason: textNeedsRedrive(imp.ImportID), Person: true, Sure: true}, nil
	default:
		return wait{Reason: textNeedsRestart(imp.ImportID), Person: true, Sure: true}, nil
	}
}

// unused returns the names of the uploaded files that the import did not read.
func (d *delivery) unused(imp registry.Import) []string {
	read := map[string]string{}
	for _, f := range imp.Files {
		read[f.Key] = f.VersionID
	}
	var names []string
	for _, key := range slices.Sorted(maps.Keys(d.versions)) {
		if version := d.versions[key]; version != "" && read[key] != version {
			names = append(names, key)
		}
	}
	return names
}
