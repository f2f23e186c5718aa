package phase

// Counts that are compared, as the text of a mismatch names them.
const (
	countRowsStored        = "lignes persistées"
	countRowsPublished     = "lignes publiées"
	countEventsPublished   = "événements publiés"
	countRecordsStored     = "enregistrements persistés"
	countRecordsJudged     = "enregistrements valides et rejetés"
	countEvents            = "événements"
	countEventsTransformed = "événements transformés"
	countEventsNotEnriched = "événements non enrichis"
	countChecksum          = "somme de contrôle"
	countTargetRows        = "lignes cibles"
)
