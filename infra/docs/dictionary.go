package main

import (
	"fmt"
	"strings"

	"etl-dataloader/internal/contract"
)

// The generated documents in French, by their file names under docs/.
const (
	fileDictionary      = "dictionnaire.md"
	fileMapping         = "correspondance.md"
	fileRules           = "regles-validation.md"
	fileTransformations = "regles-transformation.md"
	fileEvents          = "evenements.md"
)

// begin writes the head of a document in French.
func begin(out *strings.Builder, s *source, title string) {
	line(out, "<!-- Généré par infra/docs depuis internal/contract/datapackage.json ; ne pas modifier : make docs -->")
	line(out, "# %s\n", title)
	line(out, "Généré depuis le contrat (`internal/contract/datapackage.json`) que le système lui-même applique, d'empreinte SHA-256")
	line(out, "%s (celle de chaque import est dans `etl.imports.contract_hash`).\n", code(s.contract.Hash))
	var others []string
	for _, d := range [][2]string{
		{fileDictionary, "Dictionnaire de données"},
		{fileMapping, "Correspondance source-cible"},
		{fileRules, "Règles de validation"},
		{fileTransformations, "Règles de transformation"},
		{fileEvents, "Événements"},
	} {
		if d[1] == title {
			others = append(others, "**"+d[1]+"**")
		} else {
			others = append(others, "["+d[1]+"]("+d[0]+")")
		}
	}
	line(out, "%s", strings.Join(others, " · "))
}

// section begins the part of a resource.
func section(out *strings.Builder, i int, r *contract.Resource) {
	line(out, "\n## %d. %s — `%s`\n", i+1, r.Title, r.Name)
}

// dictionary renders docs/dictionnaire.md, in French: the content of the files, field by
// field.
func dictionary(s *source) string {
	var out strings.Builder
	begin(&out, s, "Dictionnaire de données")
	overview(&out, s.contract)
	conventions(&out)
	for i, r := range s.contract.Resources {
		section(&out, i, r)
		identity(&out, r)
		fields(&out, r)
		relations(&out, s.contract, r)
		answered(&out, r)
	}
	return out.String()
}

func overview(out *strings.Builder, pkg *contract.Package) {
	line(out, "\n## Les fichiers\n")
	t := newTable(out, "N°", "Type (alias)", "Contenu", "Clé", "Champs", "Dont sensibles", "Journée vide")
	for i, r := range pkg.Resources {
		sensitive := 0
		for _, f := range r.Fields {
			if f.Sensitive() {
				sensitive++
			}
		}
		t.row(fmt.Sprint(i+1), code(r.FileType)+" ("+code(r.Alias)+")", r.Title, codes(r.Key), fmt.Sprint(len(r.Fields)), fmt.Sprint(sensitive), yesNo(r.EmptyAllowed))
	}
}

func yesNo(b bool) string {
	if b {
		return "oui"
	}
	return "non"
}

// conventions writes the conventions of the tables of fields.
func conventions(out *strings.Builder) {
	line(out, "\n## Conventions\n")
	line(out, "**Nom des fichiers** : `<type>_<AAAAMMJJ>.<ext>`, `ext` étant `csv`, `json` (tableau d'objets) ou `jsonl`,")
	line(out, "sous `initial/` ou `daily/`. L'en-tête d'un CSV porte exactement les champs du contrat, dans un ordre quelconque.")
	line(out, "Une valeur vide (en JSON : absente, `null` ou `\"\"`) est une valeur manquante, de même un texte de blancs ou de")
	line(out, "caractères invisibles seuls. Rien n'est rogné ni deviné.\n")
	line(out, "**Types**\n")
	t := newTable(out, "Type", "Forme acceptée dans le fichier")
	t.row(code("string"), "texte ; les longueurs comptent les caractères en forme NFC ; ni U+FFFD ni caractère de contrôle (en texte libre TAB, LF, CR et U+0085 sont admis)")
	t.row(code("integer"), "chiffres, signe facultatif ; ni `3.0` ni `1e3`")
	t.row(code("number"), fmt.Sprintf("nombre décimal, exposant admis ; au plus %d chiffres de chaque côté de la virgule (zéros sans valeur non comptés), ni `INF` ni `NaN`", contract.MaxDecimalDigits))
	t.row(code("boolean"), "`true`, `True`, `TRUE`, `1`, `false`, `False`, `FALSE`, `0`")
	t.row(code("date"), fmt.Sprintf("`AAAA-MM-JJ`, au calendrier ; de %s à %s sauf mention contraire", contract.DefaultEarliest, contract.DefaultLatest))
	t.row(code("datetime"), fmt.Sprintf("RFC 3339 avec fuseau, p. ex. `2024-10-08T09:30:00Z` ; de %s à %s (jour UTC) sauf mention contraire", contract.DefaultEarliest, contract.DefaultLatest))
	line(out, "\n**Sensibilité**\n")
	t = newTable(out, "Marque", "Protection avant toute persistance")
	t.row("—", "aucune : champ public")
	t.row("**C**", "chiffré (AES-256-GCM, lié à sa cellule)")
	t.row("**T**", "chiffré, et jeton déterministe de la forme canonique (HMAC-SHA-256), comparable dans son domaine")
	line(out, "\nLes clés et les relations d'un champ **T** utilisent son jeton. La forme canonique d'un entier n'a ni signe plus ni")
	line(out, "zéros de tête : `7`, `+7` et `007` sont une seule clé.")
}

// identity describes the file.
func identity(out *strings.Builder, r *contract.Resource) {
	line(out, "- Fichier : %s (ou %s), CSV au séparateur %s, guillemet %s, décimales après %s, encodage %s",
		code(r.FileType+"_<AAAAMMJJ>"), code(r.Alias+"_<AAAAMMJJ>"), code(string(r.Delimiter)), code(string(r.Quote)), code(string(r.DecimalMark)), r.Encoding)
	line(out, "- Clé : %s ; journée vide admise : %s\n", codes(r.Key), yesNo(r.EmptyAllowed))
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
