-- +goose Up
ALTER TABLE etl.imports ADD COLUMN published_generation integer;
UPDATE etl.imports SET published_generation = generation WHERE status = 'réussi';
COMMENT ON COLUMN etl.imports.published_generation IS 'The generation that readers of final see; a forced restart replaces it when it is published';

-- +goose Down
ALTER TABLE etl.imports DROP COLUMN published_generation;
