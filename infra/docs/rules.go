package main

import (
	"fmt"
	"strings"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/setrule"
	"etl-dataloader/internal/validation"
)

// validationRules renders docs/regles-validation.md, in French: every rule that can
// reject a file or a record, with its text in the error table and the central log.
func validationRules(s *source) string {
	var out strings.Builder
	begin(&out, s, "Règles de validation")
	principles(&out)
	fileFaults(&out)
	for i, r := range s.contract.Resources {
		section(&out, i, r)
		rules(&out, s.contract, r)
	}
	return out.String()
}

// principles writes the order in which rules are checked, and the consequences.
func principles(out *strings.Builder) {
	line(out, "\n## Principes\n")
	line(out, "- Tous les motifs d'un enregistrement sont rapportés, chacun par une ligne de `etl.errors` et du journal central, sans jamais montrer la valeur.")
	line(out, "- Une valeur manquante d'un champ obligatoire ne viole que `%s`, une valeur d'un autre type que `%s` ; les autres contraintes d'un champ sont toutes vérifiées.", contract.RuleRequired, contract.RuleType)
	line(out, "- Un texte de blancs ou de caractères invisibles seuls est une valeur manquante ; les longueurs comptent les caractères en forme NFC.")
	line(out, "- Une règle entre champs est vérifiée si tous les champs qu'elle nomme sont présents et de leur type.")
	line(out, "- Puis, parents d'abord : unicité (la première ligne est retenue, les suivantes sont rejetées et nomment la première), relations, règles entre fichiers, cycles.")
	line(out, "- Un enregistrement dont le parent est rejeté ou inconnu est rejeté, en cascade, jusqu'à ce que plus rien ne change.")
	line(out, "- Un parent est un enregistrement valide du même import ou, pour les tables insérées ou mises à jour, une ligne déjà publiée.")
	line(out, "- Un fichier dont plus de la moitié et plus de 1 000 des enregistrements sont rejetés arrête l'import (`BudgetExceeded`) ; le contrat (`etl:budget`) ou le paramètre `RejectBudget` fixent d'autres limites, ou aucune.")
	line(out, "- Un rechargement qui retirerait plus de `MaxShrink` %% (50) des lignes de sa table arrête l'import avant publication (`Implausible`), sauf accord donné pour cet import ; dès 20 %% un WARN le signale.")
}

// fileFaults lists what rejects a record or a file before any rule is checked.
func fileFaults(out *strings.Builder) {
	line(out, "\n## Enregistrements et fichiers illisibles\n")
	line(out, "Un enregistrement illisible est un rejet, avec son numéro de ligne, sans champ ; son texte n'est gardé que chiffré.")
	line(out, "Le premier motif de cette liste qui convient est retenu.\n")
	t := newTable(out, "Règle (`etl.errors.rule`)", "Message")
	for _, f := range []record.Fault{
		record.FaultSize, record.FaultQuote, record.FaultNUL, record.FaultEncoding, record.FaultJSON, record.FaultFields,
	} {
		t.row(code(string(f)), cell(validation.MalformedText(string(f))))
	}
	line(out, "\nUn fichier fautif dans son ensemble fait échouer l'import avant tout chargement (`InvalidFile`), qui nomme tous les fichiers fautifs :")
	for _, reason := range []string{
		validation.FileEmpty, validation.FileNoRecord, validation.FileCompressed, validation.FileFormat, validation.FileLineEnds,
		validation.FileCRLines, validation.FileLongHeader, validation.FileArray, validation.FilePretty, validation.FileEncoding("utf-8"),
	} {
		line(out, "- %s ;", reason)
	}
	for _, reason := range []record.Reason{record.ReasonCutOff, record.ReasonBehind, record.ReasonTokens} {
		line(out, "- %s ;", validation.FileReason("utf-8", &record.FileError{Reason: reason, Element: 3, Offset: 59}))
	}
	columns := &record.FileError{Missing: []string{"nom"}, Extra: []string{" nom"}, Hidden: []int{5, 7}, Unnamed: []int{8}}
	for _, reason := range []record.Reason{record.ReasonHeader, record.ReasonMembers} {
		columns.Reason = reason
		line(out, "- %s ;", validation.FileReason("utf-8", columns))
	}
	line(out, "- il dépasse la taille admise (paramètre `MaxFileBytes`), ou diffère du fichier de contrôle ;")
	line(out, "- un fichier de rechargement n'a aucun enregistrement valide (constaté après tous les contrôles, avant toute publication).")
	line(out, "\nUn nom inconnu du contrat n'est montré que s'il ne peut pas être une valeur : à la casse, à un blanc, à un accent ou à un caractère près celui")
	line(out, "d'une colonne, ou un identificateur alors que toutes les colonnes obligatoires sont là. Les autres sont comptés, avec leurs positions.")
}

// rules lists every rule that can reject a record of the resource, with its text in the
// error table and the central log.
func rules(out *strings.Builder, pkg *contract.Package, r *contract.Resource) {
	t := newTable(out, "Champ", "Règle", "Condition", "Message")
	for _, f := range r.Fields {
		fieldRules(t, f)
	}
	for _, rule := range r.Rules {
		t.row(code(rule.Field), code(rule.Name), code(rule.Expression), cell(rule.Message))
	}
	t.row(codes(r.Key), code(contract.RulePrimaryKey), "clé unique dans le fichier", cell(setrule.DuplicateTemplate(r.Key)))
	for _, key := range r.Unique {
		t.row(codes(key), code(contract.RuleUnique), "valeur unique dans le fichier", cell(setrule.DuplicateTemplate(key)))
	}
	for _, relation := range r.Relations {
		t.row(codes(relation.Fields), code(contract.RuleForeignKey), "existe dans "+code(relation.Resource),
			cell(setrule.UnknownParentText(relation.Fields, relation.Resource)))
		if relation.Acyclic {
			t.row(codes(relation.Fields), code(contract.RuleCycle), "ne revient pas à l'enregistrement", cell(setrule.CycleText(relation.Fields)))
		}
	}
	for _, rule := range r.ChildRules {
		parent := pkg.Resource(r.Relations[rule.Relation].Resource)
		condition := code(rule.Field + " " + rule.Comparison + " " + parent.Name + "." + rule.ParentField)
		if rule.Sum {
			condition += ", aussi ensemble avec les autres enregistrements valides ou publiés de même parent, dans l'ordre des lignes"
		}
		t.row(code(rule.Field), code(rule.Name), condition, cell(rule.Message))
	}
}

// fieldRules lists the rules of one field in the order in which they are checked.
func fieldRules(t *table, f *contract.Field) {
	add := func(rule, condition, text string) { t.row(code(f.Name), code(rule), condition, cell(text)) }
	if f.Required {
		add(contract.RuleRequired, "présent", validation.RequiredText(f.Name))
	}
	add(contract.RuleType, code(string(f.Type)), validation.TypeText(f.Name, string(f.Type)))
	if f.Format == contract.FormatEmail {
		add(contract.RuleFormat, "adresse électronique", validation.EmailText(f.Name))
	}
	if f.Pattern != nil {
		add(contract.RulePattern, code(plainPattern(f.Pattern.String())), validation.PatternText(f.Name, f.Expected))
	}
	if f.Type == contract.TypeString {
		allowed := "ni caractère de contrôle ni U+FFFD"
		if f.IsFreeText() {
			allowed = "ni caractère de contrôle (sauf TAB, LF, CR, U+0085) ni U+FFFD"
		}
		add(contract.RuleCharacters, allowed, validation.CharactersText(f.Name))
	}
	if f.MinLength > 0 {
		add(contract.RuleMinLength, fmt.Sprintf("≥ %d caractères", f.MinLength), validation.MinLengthText(f.Name, f.MinLength))
	}
	if f.MaxLength > 0 {
		add(contract.RuleMaxLength, fmt.Sprintf("≤ %d caractères", f.MaxLength), validation.MaxLengthText(f.Name, f.MaxLength))
	}
	if f.Enum != nil {
		add(contract.RuleEnum, fmt.Sprintf("une des %d valeurs admises", len(f.Enum)), validation.EnumText(f.Name, f.Expected, f.Enum))
	}
	if f.Earliest.Text != "" {
		add(contract.RuleMinimum, "≥ "+f.Earliest.Text, validation.MinimumText(f.Name, f.Earliest.Text))
		add(contract.RuleMaximum, "≤ "+f.Latest.Text, validation.MaximumText(f.Name, f.Latest.Text))
	}
	for _, b := range bounds(f) {
		add(b.rule, b.sign+" "+b.limit.Text('f'), b.explain(f.Name, b.limit.Text('f')))
	}
}
