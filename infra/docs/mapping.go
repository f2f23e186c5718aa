package main

import (
	"fmt"
	"slices"
	"strings"

	"etl-dataloader/internal/contract"
)

// mapping renders docs/correspondance.md, in French: the destination of each field, and
// how the target tables are loaded.
func mapping(s *source) string {
	var out strings.Builder
	begin(&out, s, "Correspondance source-cible")
	line(&out, "\n## Chargement des tables cibles\n")
	t := newTable(&out, "N°", "Fichier", "Données brutes", "Table cible", "Action de chargement", "Clé de la table")
	for i, r := range s.contract.Resources {
		t.row(fmt.Sprint(i+1), code(r.FileType), code("staging."+r.Name), code("final."+r.Name), loadAction(r.Load), codes(r.KeyColumns()))
	}
	line(&out, "\n- **%s** : dans une seule transaction, `DELETE` puis `INSERT` ; aucun lecteur ne voit la table vide ou à moitié chargée. Un fichier", loadAction(contract.LoadReload))
	line(&out, "  plus ancien que les données publiées ne la recharge pas (WARN).")
	line(&out, "- **%s** : par clé. Une ligne d'une date plus récente n'est jamais remplacée par une plus ancienne ; la même date s'applique de nouveau.", loadAction(contract.LoadUpsert))
	line(&out, "- **En mode initial** les dix tables sont remplies à part, indexées, puis mises en place par une seule transaction courte.")
	line(&out, "- Dans les deux modes chaque enregistrement valide devient aussi une ligne de `final.events` ([Événements](%s)).", fileEvents)
	line(&out, "- Un enregistrement rejeté n'atteint aucune table de `final` ([Règles de validation](%s)).\n", fileRules)
	order := make([]string, 0, len(s.contract.Resources))
	for _, r := range s.contract.InDependencyOrder() {
		order = append(order, r.Name)
	}
	line(&out, "Ordre des contrôles croisés et de la publication, parents d'abord : %s.", strings.Join(order, " → "))
	added(&out)
	for i, r := range s.contract.Resources {
		section(&out, i, r)
		line(&out, "%s → %s → %s — %s\n", code(r.FileType), code("staging."+r.Name), code("final."+r.Name), loadAction(r.Load))
		t := newTable(&out, "Champ source", "Type source", "Colonnes brutes (`staging`)", "Colonnes cibles (`final`)", "Dans `events.data`")
		for _, f := range r.Fields {
			t.row(code(f.Name), code(string(f.Type)), stagedAs(r, f), targets(f), code(f.Target))
		}
	}
	return out.String()
}

// loadAction names a load mode as operators do.
func loadAction(mode contract.LoadMode) string {
	if mode == contract.LoadReload {
		return "vider et recharger"
	}
	return "insérer ou mettre à jour"
}

// added lists the columns that no field fills.
func added(out *strings.Builder) {
	line(out, "\n## Colonnes ajoutées par le système\n")
	line(out, "Elles ferment chaque table cible ; avec elles un chiffré se déchiffre, et l'on retrouve le fichier et la ligne d'une valeur.\n")
	t := newTable(out, "Colonne", "Type", "Valeur")
	t.row("`import_id`", "`text`", "l'import qui a écrit la ligne")
	t.row("`generation`", "`integer`", "sa génération : 1, puis une de plus à chaque redémarrage")
	t.row("`file_date`", "`date`", "la date dans le nom du fichier")
	t.row("`line_number`", "`bigint`", "la ligne du fichier ; dans un tableau JSON, le rang de l'élément")
}

// stagedAs names the columns of the staging table that a field fills.
func stagedAs(r *contract.Resource, f *contract.Field) string {
	columns := r.StagingColumns()
	own := columns[slices.IndexFunc(columns, func(c contract.Column) bool { return c.Name == "mistyped" })+1:]
	var shown []string
	for _, name := range []string{f.Name, f.Name + contract.TokenSuffix, f.Name + contract.KeySuffix} {
		if i := slices.IndexFunc(own, func(c contract.Column) bool { return c.Name == name }); i >= 0 {
			shown = append(shown, name+" "+shortType(own[i].SQLType))
		}
	}
	return codes(shown)
}

// targets names the columns of the target table that a field fills.
func targets(f *contract.Field) string {
	switch f.Sensitivity {
	case contract.Cipher:
		return code(f.Target + " bytea")
	case contract.Token:
		return code(f.Target+" bytea") + ", " + code(f.Target+contract.TokenSuffix+" bytea")
	default:
		return code(f.Target + " " + shortType(f.Type.SQLType()))
	}
}
