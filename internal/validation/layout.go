package validation

import (
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/record"
)

// Layout returns the layout of a file of the resource for its reader; format is the
// extension of the file's name.
func Layout(r *contract.Resource, format string) record.Layout {
	layout := record.Layout{
		Format: record.Format(format), Delimiter: r.Delimiter, Quote: r.Quote, Encoding: r.Encoding, Columns: r.Columns(), LineEnds: r.LineEnds,
	}
	for _, f := range r.Fields {
		layout.Required = append(layout.Required, f.Required)
	}
	return layout
}

// FileReason returns the French reason why a whole file of the resource is rejected.
func FileReason(r *contract.Resource, e *record.FileError) string {
	return message.FileReason(message.FileFault{
		Reason: string(e.Reason), Encoding: r.Encoding, Missing: e.Missing, Extra: e.Extra,
		Unnamed: e.Unnamed, Hidden: e.Hidden, Element: e.Element, Offset: e.Offset,
	})
}
