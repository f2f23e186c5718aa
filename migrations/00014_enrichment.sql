-- +goose Up
CREATE TABLE etl.enrichment_outages (
    import_id    text NOT NULL,
    generation   integer NOT NULL,
    source       text NOT NULL,
    attempt      integer NOT NULL,
    down_since   timestamptz,
    answered_at  timestamptz,
    down_seconds double precision NOT NULL DEFAULT 0,
    cause        text NOT NULL,
    alerted_at   timestamptz,
    PRIMARY KEY (import_id, generation, source)
);
COMMENT ON TABLE etl.enrichment_outages IS 'How long each enrichment source gave an import no answer: what its patience is measured by';
COMMENT ON COLUMN etl.enrichment_outages.attempt IS 'The attempt of the import that this time counts for; a later one starts anew';
COMMENT ON COLUMN etl.enrichment_outages.down_since IS 'Begin of the present outage; NULL while the source answers';
COMMENT ON COLUMN etl.enrichment_outages.answered_at IS 'When the last outage ended';
COMMENT ON COLUMN etl.enrichment_outages.down_seconds IS 'The outages that are over';
COMMENT ON COLUMN etl.enrichment_outages.cause IS 'The last failure, by its code';
COMMENT ON COLUMN etl.enrichment_outages.alerted_at IS 'When the operators were told about the source; they are told once';
GRANT SELECT, INSERT, UPDATE, DELETE ON etl.enrichment_outages TO etl_loader;
GRANT SELECT ON etl.enrichment_outages TO etl_reader;

-- +goose Down
DROP TABLE etl.enrichment_outages;
