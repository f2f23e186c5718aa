-- +goose Up
CREATE SCHEMA IF NOT EXISTS etl;
COMMENT ON SCHEMA etl IS 'Imports, their ledger, their errors and their keys';

CREATE TABLE etl.imports (
    import_id     text PRIMARY KEY,
    mode          text NOT NULL CHECK (mode IN ('initial', 'daily')),
    file_date     date NOT NULL,
    status        text NOT NULL CHECK (status IN ('en cours', 'réussi', 'échoué', 'abandonné')),
    generation    integer NOT NULL CHECK (generation > 0),
    contract_hash text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    published_at  timestamptz
);
COMMENT ON TABLE etl.imports IS 'One row an import; the copy of the registry that SQL joins with. The generation fences off late writers';

CREATE TABLE etl.data_keys (
    key_id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    import_id  text NOT NULL UNIQUE,
    ciphertext bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE etl.data_keys IS 'The data key of each import, wrapped by KMS; never deleted while a ciphertext refers to it';

CREATE TABLE etl.files (
    import_id  text NOT NULL REFERENCES etl.imports,
    generation integer NOT NULL,
    resource   text NOT NULL,
    file       text NOT NULL,
    object_key text NOT NULL,
    version_id text NOT NULL,
    size_bytes bigint NOT NULL,
    records    bigint,
    valid      bigint,
    rejected   bigint,
    status     text CHECK (status IN ('validé', 'avec rejets', 'rejeté')),
    PRIMARY KEY (import_id, generation, resource)
);
COMMENT ON TABLE etl.files IS 'The sealed object versions of an import, and what became of their records';

CREATE TABLE etl.ledger (
    import_id      text NOT NULL,
    generation     integer NOT NULL,
    phase          text NOT NULL,
    resource       text NOT NULL,
    chunk          integer NOT NULL,
    result         json,
    object_key     text,
    object_version text,
    object_sha256  text,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (import_id, generation, phase, resource, chunk)
);
COMMENT ON TABLE etl.ledger IS 'One row a persisted unit, written in the transaction that persisted it: the whole of exactly-once';

CREATE TABLE etl.errors (
    import_id       text NOT NULL,
    generation      integer NOT NULL,
    file            text NOT NULL,
    resource        text NOT NULL,
    chunk           integer,
    line_number     bigint,
    field           text,
    rule            text NOT NULL,
    error_details   text NOT NULL,
    processing_step text NOT NULL,
    raw             bytea,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX errors_line ON etl.errors (import_id, generation, resource, line_number);
COMMENT ON TABLE etl.errors IS 'Every reason of every reject, and every record that could not be enriched';
COMMENT ON COLUMN etl.errors.raw IS 'The malformed record, encrypted (column _raw of its chunk)';

CREATE TABLE etl.rejects (
    import_id   text NOT NULL,
    generation  integer NOT NULL,
    resource    text NOT NULL,
    line_number bigint NOT NULL,
    PRIMARY KEY (import_id, generation, resource, line_number)
);
COMMENT ON TABLE etl.rejects IS 'The rejected records, once each; every one has its reasons in etl.errors';

CREATE TABLE etl.incoherences (
    import_id   text NOT NULL,
    generation  integer NOT NULL,
    resource    text NOT NULL,
    field       text NOT NULL,
    parent      text NOT NULL,
    missing_key text NOT NULL,
    row_count   bigint NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX incoherences_import ON etl.incoherences (import_id);
COMMENT ON TABLE etl.incoherences IS 'Published rows whose parent is gone, by relation and missing key (a token in hexadecimal where the key is sensitive)';

CREATE TABLE etl.attempts (
    import_id     text NOT NULL,
    attempt       integer NOT NULL,
    generation    integer NOT NULL,
    kind          text NOT NULL,
    execution_arn text NOT NULL,
    redrive_count integer NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (import_id, attempt),
    UNIQUE (import_id, execution_arn, redrive_count)
);
COMMENT ON TABLE etl.attempts IS 'The attempts that reached the database; the registry has them all';

-- +goose Down
DROP SCHEMA etl CASCADE;
