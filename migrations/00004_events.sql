-- +goose Up
-- The key begins with the id: it is what readers look for, and ids sort by time,
-- while all rows of a partition have the same import_id.
ALTER TABLE final.events DROP CONSTRAINT events_pkey;
ALTER TABLE final.events ADD PRIMARY KEY (event_id, import_id);
-- The file of an event is that of its import and resource in etl.files.
ALTER TABLE final.events DROP COLUMN file, DROP COLUMN chunk;

-- +goose Down
ALTER TABLE final.events ADD COLUMN file text, ADD COLUMN chunk integer;
UPDATE final.events e SET chunk = 0, file = (SELECT file FROM etl.files f
    WHERE (f.import_id, f.generation, f.resource) = (e.import_id, e.generation, e.resource));
ALTER TABLE final.events ALTER COLUMN file SET NOT NULL, ALTER COLUMN chunk SET NOT NULL;
ALTER TABLE final.events DROP CONSTRAINT events_pkey;
ALTER TABLE final.events ADD PRIMARY KEY (import_id, event_id);
