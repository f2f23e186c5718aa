package main

import (
	"fmt"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
)

// transformations renders docs/regles-transformation.md, in French: how a valid value is
// converted for the target table and the event.
func transformations(s *source) string {
	var out strings.Builder
	begin(&out, s, "Règles de transformation")
	line(&out, "\n## Par type\n")
	line(&out, "Une valeur publique valide est convertie ainsi ; une valeur manquante devient `NULL`, et `null` dans `events.data`.\n")
	t := newTable(&out, "Type source", "Type cible", "Conversion vers la table cible", "Dans `events.data`")
	for _, fieldType := range []contract.Type{
		contract.TypeString, contract.TypeInteger, contract.TypeNumber, contract.TypeBoolean, contract.TypeDate, contract.TypeDateTime,
	} {
		column, data := conversion(fieldType)
		t.row(code(string(fieldType)), code(shortType(fieldType.SQLType())), column, data)
	}
	line(&out, "\n## Par sensibilité\n")
	t = newTable(&out, "Marque", "Transformation", "Dans la table cible", "Dans `events.data`")
	t.row("**C**", "chiffrement AES-256-GCM, lié à l'import, à la génération, au fichier, à la colonne et à la ligne ; jamais ouvert ensuite", "`x bytea`", "le chiffré en base64")
	t.row("**T**", "le même chiffrement, et un jeton HMAC-SHA-256 de 17 octets de la forme canonique, le même dans tous les imports", "`x bytea`, `x_token bytea`", "le chiffré en base64")
	for i, r := range s.contract.Resources {
		section(&out, i, r)
		t := newTable(&out, "Champ", "Transformation", "Cible")
		for _, f := range r.Fields {
			t.row(code(f.Name), transformation(f), targets(f))
		}
		line(&out, "\nPuis l'événement %s.", code(r.EventType))
		enriched(&out, r)
	}
	return out.String()
}

// conversion returns how a public value of a type is converted.
func conversion(t contract.Type) (column, data string) {
	switch t {
	case contract.TypeInteger:
		return "entier de 64 bits", "nombre, sans signe plus ni zéros de tête"
	case contract.TypeNumber:
		return "décimal exact, jamais flottant ; exposant développé, zéros finals gardés", "nombre, de mêmes chiffres"
	case contract.TypeBoolean:
		return "booléen", "`true` ou `false`"
	case contract.TypeDate:
		return "date", "texte, inchangé"
	case contract.TypeDateTime:
		return "instant, à la microseconde", "texte, inchangé"
	default:
		return "texte, inchangé", "texte, inchangé"
	}
}

// transformation returns how a field is transformed.
func transformation(f *contract.Field) string {
	var steps []string
	if f.Target != f.Name {
		steps = append(steps, "renommé "+code(f.Target))
	}
	switch f.Sensitivity {
	case contract.Cipher:
		steps = append(steps, "chiffré")
	case contract.Token:
		steps = append(steps, "chiffré ; jeton du domaine "+code(f.Domain))
	default:
		column, _ := conversion(f.Type)
		steps = append(steps, column)
	}
	return strings.Join(steps, " ; ")
}

// answerTransformation returns how a value of a source is written into an event.
func answerTransformation(f contract.EnrichedField) string {
	if f.Sensitive {
		return "chiffré"
	}
	_, data := conversion(f.Type)
	return data
}

// sourceLimits tells the limits of a source.
func sourceLimits(l contract.SourceLimits) string {
	rate := "sans limite de débit"
	if l.CallsPerSecond > 0 {
		rate = fmt.Sprintf("%v par seconde au plus", l.CallsPerSecond)
	}
	return fmt.Sprintf("%d clés par appel en mode initial, %d appels en cours au plus, %s ; une réponse est attendue %v s pour un lot, %v s pour une clé",
		l.Batch, l.CallsInFlight, rate, l.BatchTimeout.Seconds(), l.LookupTimeout.Seconds())
}

// sourceKind is the kind of a source, with the version of SOAP.
func sourceKind(e *contract.Enrichment) string {
	return strings.TrimSpace(string(e.Kind) + " " + string(e.Version))
}

// enriched lists the fields that an external system adds to the events.
func enriched(out *strings.Builder, r *contract.Resource) {
	e := r.Enrichment
	if e == nil {
		return
	}
	revealed := ""
	if len(e.Reveal) > 0 {
		revealed = " ; transmis en clair à la source, dans le corps de la requête TLS : " + codes(e.Reveal)
	}
	line(out, "\nEnrichissement par la source %s (%s), interrogée par %s%s. Champs ajoutés à `events.data` :\n", code(e.Source), sourceKind(e), codes(e.Key), revealed)
	t := newTable(out, "Champ", "Type", "Transformation", "Cible")
	for _, f := range e.Fields {
		t.row(code(f.Name), code(string(f.Type)), answerTransformation(f), code("events.data"))
	}
	line(out, "\nAucune table cible n'a ces champs. Limites de la source, partagées par tout ce qui l'interroge : %s.", sourceLimits(e.Limits))
	line(out, "\nSans réponse de la source l'événement est publié quand même : `enrichment` vaut %s, %s en dit la cause, et une ligne de", code(string(etl.EnrichmentFailed)), code(event.ErrorMember))
	line(out, "`etl.errors` (règle `enrichment`) le signale.")
}
