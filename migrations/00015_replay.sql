-- +goose Up
ALTER TABLE final.events ADD COLUMN completes uuid;
COMMENT ON COLUMN final.events.completes IS 'The event that this one completes: what a source answered after the import was published. NULL for all others';
-- Tables of events that are still detached are attached or copied as they are.
-- +goose StatementBegin
DO $$
DECLARE
    leaf regclass;
BEGIN
    FOR leaf IN SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'partitions' AND c.relkind = 'r' AND NOT c.relispartition AND c.relname ~ '^(events|published)_' LOOP
        EXECUTE format('ALTER TABLE %s ADD COLUMN completes uuid', leaf);
    END LOOP;
END $$;
-- +goose StatementEnd

ALTER TABLE etl.errors ADD COLUMN resolved_at timestamptz;
COMMENT ON COLUMN etl.errors.resolved_at IS 'When an event completed the record that could not be enriched; NULL until then, and for rejects';
GRANT UPDATE (resolved_at) ON etl.errors TO etl_loader;

-- +goose Down
ALTER TABLE etl.errors DROP COLUMN resolved_at;
DELETE FROM final.events WHERE completes IS NOT NULL;
-- +goose StatementBegin
DO $$
DECLARE
    leaf regclass;
BEGIN
    FOR leaf IN SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'partitions' AND c.relkind = 'r' AND NOT c.relispartition AND c.relname ~ '^(events|published)_' LOOP
        EXECUTE format('ALTER TABLE %s DROP COLUMN completes', leaf);
    END LOOP;
END $$;
-- +goose StatementEnd
ALTER TABLE final.events DROP COLUMN completes;
