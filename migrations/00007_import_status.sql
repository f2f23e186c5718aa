-- +goose Up
ALTER TABLE etl.imports
    ADD COLUMN attempt integer NOT NULL DEFAULT 0,
    ADD COLUMN failed_step text,
    ADD COLUMN failed_reason text;
COMMENT ON TABLE etl.imports IS 'One row an import that began to load, failed, or was started over or given up; the copy of the registry that SQL joins with. The generation fences off late writers';
COMMENT ON COLUMN etl.imports.contract_hash IS 'Of the contract that Open loads by; empty before Open';
COMMENT ON COLUMN etl.imports.attempt IS 'The attempt that status speaks of; 0: none was copied yet. A late copy of an earlier one changes nothing';
COMMENT ON COLUMN etl.imports.failed_step IS 'Processing step that failed, while status is échoué';
COMMENT ON COLUMN etl.imports.failed_reason IS 'Why it failed, while status is échoué; at most 1 KB, and never what a file holds';

-- +goose Down
UPDATE etl.imports SET status = 'en cours' WHERE status = 'échoué';
ALTER TABLE etl.imports
    DROP COLUMN attempt,
    DROP COLUMN failed_step,
    DROP COLUMN failed_reason;
COMMENT ON TABLE etl.imports IS 'One row an import; the copy of the registry that SQL joins with. The generation fences off late writers';
COMMENT ON COLUMN etl.imports.contract_hash IS NULL;
