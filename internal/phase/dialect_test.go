package phase_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"golang.org/x/text/encoding/charmap"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/validation"
)

// descriptor reads the delivered descriptor, lets change edit its resources by
// name, and compiles the result.
func descriptor(t *testing.T, change func(resources map[string]map[string]any) (more []any)) *contract.Package {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "contract", "datapackage.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d map[string]any
	numbers := json.NewDecoder(bytes.NewReader(text))
	numbers.UseNumber() // 64-bit bounds
	if err := numbers.Decode(&d); err != nil {
		t.Fatal(err)
	}
	list := d["resources"].([]any)
	byName := map[string]map[string]any{}
	for _, r := range list {
		resource := r.(map[string]any)
		byName[resource["name"].(string)] = resource
	}
	d["resources"] = append(list, change(byName)...)
	pkg, err := contract.Parse(encode(t, d))
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// spreadsheet gives a resource the dialect of a French spreadsheet.
func spreadsheet(resource map[string]any) {
	resource["encoding"] = "windows-1252"
	resource["dialect"] = map[string]any{"delimiter": ";", "quoteChar": "\""}
	for _, f := range resource["schema"].(map[string]any)["fields"].([]any) {
		if field := f.(map[string]any); field["type"] == "number" {
			field["decimalChar"] = ","
		}
	}
}

// windows1252 encodes a file as such a spreadsheet does.
func windows1252(t *testing.T, lines ...string) file {
	t.Helper()
	text, err := charmap.Windows1252.NewEncoder().String(strings.Join(lines, "\r\n") + "\r\n")
	if err != nil {
		t.Fatal(err)
	}
	return file{"csv", text}
}

// column reads one text column of a query.
func column(t *testing.T, conn *pgx.Conn, query string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestDialect takes files of a French spreadsheet, and JSON of the same
// contract, through the whole line: what is published knows no dialect.
func TestDialect(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.common.Contract = descriptor(t, func(resources map[string]map[string]any) []any {
		for _, name := range []string{"clients", "produits", "ventes", "paiements"} {
			spreadsheet(resources[name])
		}
		return nil
	})
	uploaded := day().csv(t)
	header := func(name string) string { return strings.Join(l.common.Contract.Resource(name).Columns(), ";") }
	uploaded["clients"] = windows1252(t, header("clients"),
		"101;Zoé;Lefèvre;zoe@exemple.fr;1000000001;;;\"1; rue de l'Œuvre\nbât. 2\";Nîmes;FR;2024-01-02T03:04:05Z",
		"102;Noël;Dupont;noel@exemple.fr;1000000002;;;;Nice;FR;2024-01-02T03:04:05+02:00",
		"103;Ana\x00;Martin;ana@exemple.fr;1000000003;;;;Nice;FR;2024-01-02T03:04:05Z")
	uploaded["produits"] = windows1252(t, header("produits"),
		"1;Bêche « pro » à 12 €;3;1;12,50;EUR;true",
		"2;\"Pelle; \"\"petite\"\"\";3;2;1e-2;CHF;0",
		"3;Seau;2;2;12.50;EUR;true", // a point is no decimal mark here
		"4;Seau;2;2;1.012,50;EUR;true")
	uploaded["ventes"] = jsonl(t,
		map[string]any{"sale_id": 1001, "client_id": "101", "product_id": 1, "store_id": 1, "quantity": 3, "unit_price": json.Number("12.50"), "amount": json.Number("37.5"), "sale_date": "2024-10-05", "channel": "web"},
		map[string]any{"sale_id": "1002", "client_id": 102, "product_id": 2, "store_id": 1, "quantity": 5, "unit_price": "0,015", "amount": "0,08", "sale_date": "2024-10-05", "channel": "web"},
		map[string]any{"sale_id": 1003, "client_id": 102, "product_id": 2, "store_id": 1, "quantity": 1, "unit_price": "8.00", "amount": 8, "sale_date": "2024-10-05", "channel": "web"},
		map[string]any{"sale_id": 1004, "client_id": 102, "product_id": 2, "store_id": 1, "quantity": 1, "unit_price": json.Number("1.25E1"), "amount": json.Number("12.51"), "sale_date": "2024-10-05", "channel": "web"})
	uploaded["paiements"] = windows1252(t, header("paiements"), "501;1001;37,5;carte;;2024-10-08T10:00:00Z")
	uploaded["retours"] = file{"csv", strings.Join(l.common.Contract.Resource("retours").Columns(), ",") + "\n"}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", uploaded).all(t)

	l.expectErrors(t, r, "clients", "5 | nul | "+validation.MalformedText("nul"))
	l.expectErrors(t, r, "produits", "4 | unit_price | type | "+validation.TypeText("unit_price", "number"), "5 | unit_price | type | "+validation.TypeText("unit_price", "number"))
	rule := l.common.Contract.Resource("ventes").Rules[0]
	l.expectErrors(t, r, "ventes", "3 | unit_price | type | "+validation.TypeText("unit_price", "number"), "4 | amount | "+rule.Name+" | "+rule.Message)
	for query, want := range map[string][]string{
		`SELECT concat_ws('|', product_id, name, unit_price, active) FROM final.produits ORDER BY product_id`:        {"1|Bêche « pro » à 12 €|12.50|t", `2|Pelle; "petite"|0.01|f`},
		`SELECT concat_ws('|', sale_id, unit_price, sale_amount) FROM final.ventes ORDER BY sale_id`:                 {"1001|12.50|37.5", "1002|0.015|0.08"},
		`SELECT concat_ws('|', payment_id, amount) FROM final.paiements`:                                             {"501|37.5"},
		`SELECT city FROM final.clients ORDER BY line_number`:                                                        {"Nîmes", "Nice"},
		`SELECT concat_ws('|', data->>'name', data->'unit_price') FROM final.events WHERE resource = 'produits'`:     {"Bêche « pro » à 12 €|12.50", `Pelle; "petite"|0.01`},
		`SELECT concat_ws('|', data->'unit_price', data->'sale_amount') FROM final.events WHERE resource = 'ventes'`: {"12.50|37.5", "0.015|0.08"},
	} {
		if diff := cmp.Diff(want, column(t, l.conn, query)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", query, diff)
		}
	}
	// Sensitive values are UTF-8 too.
	if got := l.plain(t, r, "address", `SELECT address, line_number FROM final.clients WHERE import_id = $1 AND line_number = 2`); got != "1; rue de l'Œuvre\nbât. 2" {
		t.Errorf("the address is %q", got)
	}
	if n := postgrestest.Scan[int](t, l.conn, `SELECT count(*)::int FROM final.events WHERE data::text LIKE '%�%'`); n != 0 {
		t.Errorf("%d events hold what could not be decoded", n)
	}
}
