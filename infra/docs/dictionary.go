package main

import (
	"fmt"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/record"
)

// dictionary is docs/dictionnaire.md, in French: what the contract says of the
// files, field by field.
func dictionary(s *source) string {
	var out strings.Builder
	line(&out, "<!-- Généré par infra/docs depuis internal/contract/datapackage.json ; ne pas modifier : make docs -->")
	line(&out, "# Dictionnaire de données\n")
	line(&out, "Ce document est généré depuis le contrat (`internal/contract/datapackage.json`) que le système lui-même applique :")
	line(&out, "lecture, validation, chiffrement, tables. Empreinte SHA-256 du contrat, conservée dans `etl.imports.contract_hash` :")
	line(&out, "%s.\n", code(s.contract.Hash))
	overview(&out, s.contract)
	conventions(&out)
	fileFaults(&out)
	for i, r := range s.contract.Resources {
		line(&out, "\n## %d. %s — `%s`\n", i+1, r.Title, r.Name)
		identity(&out, r)
		fields(&out, r)
		relations(&out, s.contract, r)
		enriched(&out, r)
		rules(&out, s.contract, r)
	}
	return out.String()
}

func overview(out *strings.Builder, pkg *contract.Package) {
	line(out, "## Les fichiers\n")
	t := newTable(out, "N°", "Type (alias)", "Table cible", "Chargement", "Clé", "Événement", "Journée vide")
	for i, r := range pkg.Resources {
		t.row(fmt.Sprint(i+1), code(r.FileType)+" ("+code(r.Alias)+")", code("final."+r.Name), loadMode(r.Load),
			codes(r.Key), code(r.EventType), yesNo(r.EmptyAllowed))
	}
	order := make([]string, 0, len(pkg.Resources))
	for _, r := range pkg.InDependencyOrder() {
		order = append(order, r.Name)
	}
	line(out, "\nOrdre des contrôles croisés et de la publication (parents d'abord) : %s.", strings.Join(order, " → "))
}

func loadMode(mode contract.LoadMode) string {
	if mode == contract.LoadReload {
		return "vidée et rechargée"
	}
	return "insertion ou mise à jour"
}

func yesNo(b bool) string {
	if b {
		return "oui"
	}
	return "non"
}

// conventions explains what the tables of the fields show.
func conventions(out *strings.Builder) {
	line(out, "\n## Conventions\n")
	line(out, "**Nom des fichiers** : `<type>_<AAAAMMJJ>.<ext>`, `ext` étant `csv`, `json` (tableau d'objets) ou `jsonl`,")
	line(out, "sous `initial/` ou `daily/`. L'en-tête d'un CSV porte exactement les champs du contrat, dans un ordre quelconque.")
	line(out, "Une valeur vide (en JSON : absente, `null` ou `\"\"`) est une valeur manquante. Rien n'est rogné ni deviné.\n")
	line(out, "**Types et transformations**\n")
	t := newTable(out, "Type", "Forme acceptée dans le fichier", "Colonne cible", "Dans `events.data`")
	t.row(code("string"), "texte", code("text"), "texte, inchangé")
	t.row(code("integer"), "chiffres, signe facultatif ; ni `3.0` ni `1e3`", code("bigint"), "nombre sans zéros de tête")
	t.row(code("number"), fmt.Sprintf("nombre décimal, exposant admis ; au plus %d chiffres de chaque côté de la virgule, ni `INF` ni `NaN`", contract.MaxDecimalDigits),
		code("numeric"), "nombre exact, jamais flottant")
	t.row(code("boolean"), "`true`, `True`, `TRUE`, `1`, `false`, `False`, `FALSE`, `0`", code("boolean"), "`true` ou `false`")
	t.row(code("date"), "`AAAA-MM-JJ`, au calendrier", code("date"), "texte, inchangé")
	t.row(code("datetime"), "RFC 3339 avec fuseau, p. ex. `2024-10-08T09:30:00Z`", code("timestamptz"), "texte, inchangé")
	line(out, "\n**Sensibilité**\n")
	t = newTable(out, "Marque", "Protection avant toute persistance", "Colonnes cibles", "Dans `events.data`")
	t.row("—", "aucune : champ public", "`x`, typée", "valeur")
	t.row("**C**", "chiffré (AES-256-GCM, lié à sa cellule)", "`x bytea`", "le chiffré, en base64")
	t.row("**T**", "chiffré, et jeton déterministe de la forme canonique (HMAC-SHA-256), comparable dans son domaine", "`x bytea`, `x_token bytea`", "le chiffré, en base64")
	line(out, "\nLes clés et les relations d'un champ **T** utilisent son jeton. La forme canonique d'un entier n'a ni signe plus ni")
	line(out, "zéros de tête : `7`, `+7` et `007` sont une seule clé. Dans la table cible suivent toujours `import_id`, `generation`,")
	line(out, "`file_date` et `line_number`, qui servent aussi à déchiffrer.")
}

// fileFaults lists what rejects a record or a file before any rule is looked at.
func fileFaults(out *strings.Builder) {
	line(out, "\n## Enregistrements et fichiers illisibles\n")
	line(out, "Un enregistrement illisible est un rejet, avec son numéro de ligne, sans champ ; son texte n'est gardé que chiffré.")
	line(out, "Le premier motif de cette liste qui convient est retenu.\n")
	t := newTable(out, "Règle (`etl.errors.rule`)", "Message")
	for _, f := range []record.Fault{
		record.FaultTruncated, record.FaultSize, record.FaultQuote, record.FaultNUL, record.FaultEncoding, record.FaultJSON, record.FaultFields,
	} {
		t.row(code(string(f)), cell(message.Malformed(string(f))))
	}
	line(out, "\nUn fichier fautif dans son ensemble fait échouer l'import à la première étape (`InvalidFile`) :")
	for _, reason := range []string{message.FileEmpty, message.FileNoRecord, message.FileFormat, message.FileEncoding("utf-8")} {
		line(out, "- %s ;", reason)
	}
	line(out, "- %s.", message.FileHeader([]string{"…"}, []string{"…"}))
}

// identity says what the file and its table are.
func identity(out *strings.Builder, r *contract.Resource) {
	line(out, "- Fichier : %s (ou %s), CSV au séparateur %s, guillemet %s, décimales après %s, encodage %s",
		code(r.FileType+"_<AAAAMMJJ>"), code(r.Alias+"_<AAAAMMJJ>"), code(string(r.Delimiter)), code(string(r.Quote)), code(string(r.DecimalMark)), r.Encoding)
	line(out, "- Table : %s, %s ; données brutes : %s", code("final."+r.Name), loadMode(r.Load), code("staging."+r.Name))
	line(out, "- Clé : %s (colonnes %s)", codes(r.Key), codes(r.KeyColumns()))
	line(out, "- Événement : %s ; journée vide admise : %s\n", code(r.EventType), yesNo(r.EmptyAllowed))
}

// relations lists the keys and relations beyond the primary key.
func relations(out *strings.Builder, pkg *contract.Package, r *contract.Resource) {
	if len(r.Unique)+len(r.Relations) == 0 {
		return
	}
	line(out, "")
	for _, key := range r.Unique {
		line(out, "- Unique dans le fichier : %s", codes(key))
	}
	for _, relation := range r.Relations {
		parent := pkg.Resource(relation.Resource)
		where := "un enregistrement valide du même import"
		if parent.Load == contract.LoadUpsert {
			where += ", ou déjà dans " + code("final."+parent.Name)
		}
		acyclic := ""
		if relation.Acyclic {
			acyclic = " ; sans cycle"
		}
		line(out, "- Relation : %s → %s (%s) : %s%s", codes(relation.Fields), code(parent.Name), codes(relation.ParentFields), where, acyclic)
	}
}

// enriched lists what an external system adds to the events.
func enriched(out *strings.Builder, r *contract.Resource) {
	e := r.Enrichment
	if e == nil {
		return
	}
	revealed := ""
	if len(e.Reveal) > 0 {
		revealed = " ; transmis en clair à la source, dans le corps de la requête TLS : " + codes(e.Reveal)
	}
	line(out, "\nEnrichissement par la source %s (%s), interrogée par %s%s. Champs ajoutés à `events.data` :\n", code(e.Source), e.Kind, codes(e.Key), revealed)
	t := newTable(out, "Champ", "Type")
	for _, f := range e.Fields {
		t.row(code(f.Name), code(string(f.Type)))
	}
}
