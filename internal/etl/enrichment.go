package etl

// Enrichment is the status of a record's enrichment, empty where none is
// configured. The column "enrichment" of final.events holds it.
type Enrichment string

// Statuses of an enrichment.
const (
	EnrichmentOK       Enrichment = "ok"        // the source knows the key
	EnrichmentNotFound Enrichment = "not_found" // the source answered that it does not know the key
	EnrichmentFailed   Enrichment = "failed"    // there is no usable answer; the event can be enriched again
)
