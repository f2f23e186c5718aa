-- +goose Up
CREATE TABLE etl.audit (
    audit_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id    uuid NOT NULL,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    stage         text NOT NULL CHECK (stage IN ('asked', 'done')),
    identity      text NOT NULL CHECK (octet_length(identity) BETWEEN 1 AND 2048),
    access_key_id text CHECK (octet_length(access_key_id) BETWEEN 1 AND 128),
    verified      boolean NOT NULL,
    action        text NOT NULL CHECK (octet_length(action) BETWEEN 1 AND 128),
    import_id     text CHECK (octet_length(import_id) BETWEEN 1 AND 128),
    details       jsonb CHECK (jsonb_typeof(details) = 'object' AND octet_length(details::text) <= 65536),
    outcome       text CHECK (octet_length(outcome) BETWEEN 1 AND 1024),
    CHECK ((stage = 'done') = (outcome IS NOT NULL))
);
CREATE INDEX audit_import ON etl.audit (import_id, at);
COMMENT ON TABLE etl.audit IS 'What people asked of the product: a row before the deed and one after it. Append only; a row may stand twice where the answer to its insertion was lost';
COMMENT ON COLUMN etl.audit.request_id IS 'The same in the rows before and after the deed';
COMMENT ON COLUMN etl.audit.stage IS 'asked: before the deed; done: after it';
COMMENT ON COLUMN etl.audit.identity IS 'ARN of whoever asked; the name of a session in it is what its caller wrote';
COMMENT ON COLUMN etl.audit.access_key_id IS 'Of the key that signed the request; NULL where none is known';
COMMENT ON COLUMN etl.audit.verified IS 'Whether AWS vouches for identity; otherwise it is what the request says';
COMMENT ON COLUMN etl.audit.action IS 'What was asked, such as restart or reveal';
COMMENT ON COLUMN etl.audit.import_id IS 'The import it was asked of, known to the database or not; NULL: of none';
COMMENT ON COLUMN etl.audit.details IS 'What else was asked, such as the fields and the reason; never a value of a file';
COMMENT ON COLUMN etl.audit.outcome IS 'What became of it, in the row after the deed';

-- Rights keep the loader from changing rows; the triggers keep everybody from it.
-- +goose StatementBegin
CREATE FUNCTION etl.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'permission denied for table %', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', DETAIL = 'The table is append only.';
END $$;
-- +goose StatementEnd
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON etl.audit
    FOR EACH STATEMENT EXECUTE FUNCTION etl.refuse_change();

-- +goose Down
DROP TABLE etl.audit;
DROP FUNCTION etl.refuse_change();
