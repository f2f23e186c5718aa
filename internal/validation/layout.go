package validation

import (
	"etl-dataloader/internal/contract"
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
