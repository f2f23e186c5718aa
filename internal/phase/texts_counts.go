package phase

// Names, in the text of a mismatch, of the counts that are compared.
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
