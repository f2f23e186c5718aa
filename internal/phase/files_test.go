package phase_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"etl-dataloader/internal/contract"
)

// files are the uploads of a date, by resource.
type files map[string]file

type file struct{ format, text string }

// rows are the lines of a date's CSV files without their headers, by resource.
type rows map[string][]string

// day is a small date in which everything is valid: 2 reference trees deep, each
// relation used.
func day() rows {
	return rows{
		"categories":   {"1,Maison,", "2,Jardin,1", "3,Outils,2"},
		"fournisseurs": {"1,Bêcheur & Fils,contact@becheur.fr,FR40303265045", "2,Pelles SA,vente@pelles.ch,"},
		"produits":     {"1,Bêche,3,1,12.50,EUR,true", "2,Pelle,3,2,8.00,CHF,false", `3,"Seau, ""grand""",2,2,3.105,EUR,true`},
		"magasins":     {"1,Nord,Lille,FR,2010-05-01", "2,Sud,Nice,FR,2012-06-01"},
		"clients": {
			"101,Zoé,Lefèvre,zoe@exemple.fr,1000000001,+33612345678,1990-02-03,\"1, rue du Port\",Lille,FR,2024-01-02T03:04:05Z",
			"102,Noël,Dupont,noel@exemple.fr,1000000002,,,,Nice,FR,2024-01-02T03:04:05+02:00",
			"103,Anaïs,Martin,anais@exemple.fr,1000000003,,1985-12-31,,Genève,CH,2024-01-02T03:04:05Z",
		},
		"employes": {
			"7,Luc,Petit,luc@etl.fr,2000000001,1,2015-01-01,",
			"8,Eva,Grand,eva@etl.fr,2000000002,2,2016-01-01,2020-12-31",
		},
		"ventes": {
			"1001,101,1,1,2,12.50,25.00,2024-10-05,magasin",
			"1002,102,2,2,1,8.00,8.00,2024-10-05,web",
			"1003,103,3,1,5,3.105,15.53,2024-10-05,telephone",
			"1004,101,1,2,1,12.50,12.50,2024-10-05,web",
		},
		"stocks":    {"1,1,10,2024-10-08T20:00:00Z", "1,2,5,2024-10-08T20:00:00Z", "2,2,0,2024-10-08T20:00:00Z"},
		"paiements": {"501,1001,25.00,carte,,2024-10-08T10:00:00Z", "502,1002,8.00,virement,FR1420041010050500013M02606,2024-10-08T10:00:00Z"},
		"retours":   {"901,1001,1,defaut,2024-10-08", "902,1003,5,autre,2024-10-08"},
	}
}

// with returns a copy with lines added to a resource.
func (r rows) with(resource string, lines ...string) rows {
	c := maps.Clone(r)
	c[resource] = append(append([]string{}, r[resource]...), lines...)
	return c
}

// only returns a copy in which a resource has these lines alone.
func (r rows) only(resource string, lines ...string) rows {
	c := maps.Clone(r)
	c[resource] = lines
	return c
}

// csv makes the files.
func (r rows) csv(t testing.TB) files {
	t.Helper()
	made := files{}
	for _, resource := range loadContract(t).Resources {
		lines := append([]string{strings.Join(resource.Columns(), ",")}, r[resource.Name]...)
		made[resource.Name] = file{"csv", strings.Join(lines, "\n") + "\n"}
	}
	return made
}

// jsonl makes JSON Lines of records given as members by name.
func jsonl(t *testing.T, records ...map[string]any) file {
	t.Helper()
	var b strings.Builder
	for _, r := range records {
		b.Write(encode(t, r))
		b.WriteByte('\n')
	}
	return file{"jsonl", b.String()}
}

// array makes a JSON array on one line.
func array(t *testing.T, records ...map[string]any) file {
	t.Helper()
	return file{"json", string(encode(t, records))}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t testing.TB, b []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}

// quantities counts the lines of each resource.
func (r rows) quantities(pkg *contract.Package) map[string]int64 {
	n := map[string]int64{}
	for _, resource := range pkg.Resources {
		n[resource.Name] = int64(len(r[resource.Name]))
	}
	return n
}
