-- +goose Up
ALTER TABLE etl.imports ADD COLUMN published_generation integer;
UPDATE etl.imports SET published_generation = generation WHERE status = 'réussi';
COMMENT ON COLUMN etl.imports.published_generation IS 'The generation that readers of final see; a forced restart replaces it when it is published';

ALTER TABLE etl.attempts
    DROP COLUMN redrive_count,
    ALTER COLUMN created_at DROP DEFAULT,
    ADD COLUMN trigger text,
    ADD COLUMN failed_step text,
    ADD COLUMN failed_reason text;
COMMENT ON TABLE etl.attempts IS 'The attempts of each import, copied from the registry, which has them all at once, when an import opens, when it is published, and after each re-execution that was asked for';
COMMENT ON COLUMN etl.attempts.trigger IS 'file, deadline, automatic, console or command; NULL: not recorded then';
COMMENT ON COLUMN etl.attempts.failed_reason IS 'Why the attempt before failed; failed_step says where';

-- +goose Down
ALTER TABLE etl.attempts
    DROP COLUMN trigger,
    DROP COLUMN failed_step,
    DROP COLUMN failed_reason,
    ALTER COLUMN created_at SET DEFAULT now(),
    ADD COLUMN redrive_count integer NOT NULL DEFAULT 0;
ALTER TABLE etl.imports DROP COLUMN published_generation;
