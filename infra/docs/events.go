package main

import (
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
)

// events renders docs/evenements.md, in French: the content of final.events.
func events(s *source) string {
	var out strings.Builder
	begin(&out, s, "Événements")
	line(&out, "\nChaque enregistrement valide devient un événement, écrit exactement une fois dans `final.events` (une partition par import), dans la")
	line(&out, "transaction qui publie l'import : un lecteur voit tous les événements d'un import ou aucun.\n")
	line(&out, "## Types\n")
	t := newTable(&out, "Type d'événement", "Fichier", "Table cible", "Clé dans `data`", "`client_id`", "Enrichi")
	for _, r := range s.contract.Resources {
		keys := make([]string, len(r.Key))
		for i, name := range r.Key {
			keys[i] = r.Field(name).Target
		}
		t.row(code(r.EventType), code(r.FileType), code("final."+r.Name), codes(keys), yesNo(hasClient(r)), yesNo(r.Enrichment != nil))
	}
	line(&out, "\n## Colonnes de `final.events`\n")
	t = newTable(&out, "Colonne", "Type", "Contenu")
	for _, c := range event.Columns() {
		t.row(code(c.Name), code(shortType(c.SQLType)), eventColumn(c.Name))
	}
	line(&out, "\nValeurs de `enrichment` : %s (la source a répondu), %s (elle ne connaît pas la clé), %s (elle n'a pas répondu ; %s en dit la cause),",
		code(string(etl.EnrichmentOK)), code(string(etl.EnrichmentNotFound)), code(string(etl.EnrichmentFailed)), code("data."+event.ErrorMember))
	line(&out, "`NULL` (rien à enrichir). Les événements portent seuls ce que les sources répondent : aucune table cible ne l'a.")
	completions(&out, s)
	for i, r := range s.contract.Resources {
		section(&out, i, r)
		line(&out, "Type %s. Membres de `data`, dans cet ordre :\n", code(r.EventType))
		t := newTable(&out, "Membre", "Type JSON", "Origine")
		for _, f := range r.Fields {
			t.row(code(f.Target), eventType(f), "champ "+code(f.Name))
		}
		if r.Enrichment == nil {
			continue
		}
		for _, f := range r.Enrichment.Fields {
			t.row(code(f.Name), eventType(f.Field()), "source "+code(r.Enrichment.Source)+", si elle a répondu")
		}
		t.row(code(event.ErrorMember), "chaîne", "cause, si la source n'a pas répondu")
	}
	return out.String()
}

// completions describes the events that complete others.
func completions(out *strings.Builder, s *source) {
	line(out, "\n## Événements qui en complètent d'autres\n")
	line(out, "Un événement ne change jamais. Ce qu'une source répond après la publication (rejeu, `etlctl enrich`) est un autre événement, du même import,")
	line(out, "dont `completes` désigne le premier. Il n'y en a jamais deux pour le même. Une unité du rejeu devient visible en une transaction.\n")
	t := newTable(out, "Type d'événement", "Complète", "Membres de `data`")
	for _, r := range s.contract.Resources {
		if r.Enrichment == nil {
			continue
		}
		var members []string
		for _, f := range r.KeyFields() {
			members = append(members, f.Target)
		}
		for _, f := range r.Enrichment.Fields {
			members = append(members, f.Name)
		}
		t.row(code(event.CompletionType(r)), code(r.EventType), codes(members))
	}
	line(out, "\nPour replier un complément dans ce qu'il complète : prendre son `enrichment` (`ok` ou `not_found`), joindre ses membres de `data` à")
	line(out, "ceux du premier, sans %s. Les autres colonnes sont celles du premier, sauf `event_id` (UUID version 5, tiré de celui du premier),", code(event.ErrorMember))
	line(out, "`timestamp` et `event_type`.\n")
	line(out, "```sql")
	line(out, "SELECT e.event_id, e.event_type, e.import_id, e.resource, e.line_number, coalesce(c.enrichment, e.enrichment) AS enrichment,")
	line(out, "       CASE WHEN c.event_id IS NULL THEN e.data::jsonb ELSE (e.data::jsonb - '%s') || c.data::jsonb END AS data", event.ErrorMember)
	line(out, "FROM final.events e LEFT JOIN final.events c ON c.import_id = e.import_id AND c.completes = e.event_id")
	line(out, "WHERE e.completes IS NULL;")
	line(out, "```\n")
	line(out, "Un lecteur qui compte un événement par enregistrement ne garde que ceux dont `completes` est `NULL`. Un redémarrage forcé de l'import remplace")
	line(out, "les uns et les autres.")
}

// hasClient reports whether the events of a resource name a client.
func hasClient(r *contract.Resource) bool {
	for _, f := range r.Fields {
		if f.Domain == "client_id" {
			return true
		}
	}
	return false
}

// eventColumn returns the meaning of a column of final.events.
func eventColumn(name string) string {
	return map[string]string{ //nolint:gosec // names of columns, no credentials
		"event_id":        "identifiant (UUID version 7, croissant dans le temps ; version 5 si `completes` n'est pas `NULL`)",
		"completes":       "l'événement que celui-ci complète ; `NULL` pour tous les autres",
		"timestamp":       "quand l'événement a été fait",
		"event_type":      "type, voir plus haut",
		"import_id":       "l'import",
		"generation":      "sa génération",
		"resource":        "la ressource du contrat, nommée comme sa table cible",
		"file_date":       "la date dans le nom du fichier",
		"file":            "le nom du fichier",
		"chunk":           "le morceau du fichier, à partir de 0",
		"line_number":     "la ligne du fichier ; dans un tableau JSON, le rang de l'élément",
		"client_id":       "le client, chiffré ; `NULL` où il n'y en a pas",
		"client_id_token": "son jeton, pour les jointures",
		"enrichment":      "ce qu'il est advenu de l'enrichissement",
		"data":            "les champs, objet JSON",
	}[name]
}

// eventType returns the JSON type of a field in an event's data.
func eventType(f *contract.Field) string {
	text := jsonType(f.Type)
	if f.Sensitive() {
		text = "chaîne (chiffré, base64)"
	}
	if !f.Required {
		text += " ou `null`"
	}
	return text
}

// jsonType returns the JSON type of a value.
func jsonType(t contract.Type) string {
	switch t {
	case contract.TypeInteger, contract.TypeNumber:
		return "nombre"
	case contract.TypeBoolean:
		return "booléen"
	default:
		return "chaîne"
	}
}
