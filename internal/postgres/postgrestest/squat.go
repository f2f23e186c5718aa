package postgrestest

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Squat fills the schema public, in which the login may create objects, with
// whatever could be mistaken for an object of the product or of PostgreSQL: tables
// with the product's names, and functions and operators with names that its
// statements use, for types that fit better than PostgreSQL's own. A call of one of
// them is counted and fails. called returns how many calls there were.
func Squat(t testing.TB, squatter *pgx.Conn) (called func() int64) {
	t.Helper()
	Exec(t, squatter, `SET search_path = pg_catalog`) // so that the squatter avoids its own trap
	Exec(t, squatter, `CREATE SEQUENCE public.called; GRANT USAGE ON SEQUENCE public.called TO PUBLIC`)
	for _, names := range []string{squattedTables, squattedFunctions, squattedOperators} {
		Exec(t, squatter, names)
	}
	if n := Scan[int64](t, squatter, `SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace`); n < 500 {
		t.Fatalf("only %d functions lie in wait", n)
	}
	return func() int64 {
		return Scan[int64](t, squatter, `SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM public.called`)
	}
}

// body is the body of a function that counts the call and fails, as an argument of
// format.
const body = `BEGIN PERFORM pg_catalog.nextval(''public.called''::pg_catalog.regclass); RAISE EXCEPTION ''a function of public was called''; END`

const squattedTables = `DO $squat$
DECLARE name text;
BEGIN
	FOREACH name IN ARRAY ARRAY['imports', 'ledger', 'files', 'errors', 'rejects', 'incoherences', 'attempts', 'data_keys', 'audit', 'migration_lock',
		'events', 'clients', 'produits', 'categories', 'ventes', 'magasins', 'fournisseurs', 'stocks', 'paiements', 'retours', 'employes', 'written'] LOOP
		EXECUTE format('CREATE TABLE public.%I (import_id text, generation integer)', name);
	END LOOP;
	CREATE TABLE public.goose_db_version (id integer, version_id bigint, is_applied boolean, tstamp timestamp);
	INSERT INTO public.goose_db_version SELECT n, n, true, now() FROM generate_series(0, 9999) n;
	GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC;
END $squat$`

var squattedFunctions = fmt.Sprintf(`DO $squat$
DECLARE
	names text[] := ARRAY['right', 'left', 'length', 'position', 'lower', 'upper', 'replace', 'count', 'sum', 'min', 'max', 'string_agg', 'array_agg',
		'concat', 'concat_ws', 'quote_ident', 'quote_literal', 'pg_get_expr', 'current_setting', 'set_config', 'pg_terminate_backend', 'pg_has_role',
		'to_regclass', 'to_regnamespace', 'hashtextextended', 'hashint8extended', 'uuid_hash_extended', 'format', 'unnest', 'row_number', 'substr',
		'substring', 'trim', 'btrim', 'abs', 'round', 'mod', 'text', 'int8', 'int4', 'numeric', 'date', 'timestamptz', 'regclass', 'json_build_object', 'to_json', 'octet_length'];
	types text[] := ARRAY['text', 'name', 'varchar', 'integer', 'bigint', 'smallint', 'numeric', 'bytea', 'oid', 'date', 'timestamptz', 'json', 'uuid', 'boolean', 'regclass'];
	few text[] := ARRAY['text', 'name', 'varchar', 'integer', 'bigint', 'numeric', 'bytea'];
	f text; a text; b text;
BEGIN
	FOREACH f IN ARRAY names LOOP
		FOREACH a IN ARRAY types LOOP
			EXECUTE format('CREATE FUNCTION public.%%I(%%s) RETURNS boolean LANGUAGE plpgsql AS %%L', f, a, '%[1]s');
		END LOOP;
		FOREACH a IN ARRAY few LOOP
			FOREACH b IN ARRAY few LOOP
				EXECUTE format('CREATE FUNCTION public.%%I(%%s, %%s) RETURNS boolean LANGUAGE plpgsql AS %%L', f, a, b, '%[1]s');
				EXECUTE format('CREATE FUNCTION public.%%I(%%s, %%s, %%s) RETURNS boolean LANGUAGE plpgsql AS %%L', f, a, b, b, '%[1]s');
			END LOOP;
		END LOOP;
	END LOOP;
END $squat$`, body)

var squattedOperators = fmt.Sprintf(`DO $squat$
DECLARE
	types text[] := ARRAY['text', 'name', 'varchar', 'integer', 'bigint', 'smallint', 'numeric', 'bytea', 'oid', 'date', 'timestamptz', 'json', 'uuid', 'boolean'];
	o text; a text; b text;
BEGIN
	FOREACH a IN ARRAY types LOOP
		FOREACH b IN ARRAY types LOOP
			EXECUTE format('CREATE FUNCTION public.operate(%%s, %%s) RETURNS boolean LANGUAGE plpgsql AS %%L', a, b, '%[1]s');
			FOREACH o IN ARRAY ARRAY['=', '<>', '<', '>', '<=', '>=', '||', '~~', '~', '+', '-', '*', '/', '->', '->>'] LOOP
				EXECUTE format('CREATE OPERATOR public.%%s (LEFTARG = %%s, RIGHTARG = %%s, FUNCTION = public.operate)', o, a, b);
			END LOOP;
		END LOOP;
	END LOOP;
END $squat$`, body)
