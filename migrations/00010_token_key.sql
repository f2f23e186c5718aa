-- +goose Up
CREATE TABLE etl.token_key (
    version   smallint PRIMARY KEY,
    key_check bytea NOT NULL CHECK (octet_length(key_check) = 16),
    import_id text NOT NULL,
    at        timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE etl.token_key IS 'The KMS key behind the tokens of this database: an import whose tokens come from another one is refused';
COMMENT ON COLUMN etl.token_key.version IS 'The first byte of the tokens';
COMMENT ON COLUMN etl.token_key.key_check IS 'Made by the key under a label of its own; it tells two keys apart and nothing about tokens';
COMMENT ON COLUMN etl.token_key.import_id IS 'The import that was the first to use the key';

-- +goose Down
DROP TABLE etl.token_key;
