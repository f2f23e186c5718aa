-- +goose Up
CREATE TABLE staging.livraisons (
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    file_type text NOT NULL,
    file text NOT NULL,
    chunk integer NOT NULL,
    line_number bigint NOT NULL,
    fault text,
    raw bytea,
    mistyped text,
    delivery_id text,
    delivery_id_key bigint,
    sale_id text,
    sale_id_key bigint,
    client_id bytea,
    client_id_token bytea,
    parcels text,
    parcels_key bigint,
    weight text,
    address bytea,
    delivered_on text
) PARTITION BY LIST (import_id);
CREATE VIEW staging.livraisons_ready AS
    SELECT s.* FROM staging.livraisons s
    JOIN etl.ledger l ON (l.import_id, l.generation, l.phase, l.resource, l.chunk) = (s.import_id, s.generation, 'Validate', 'livraisons', s.chunk)
    WHERE NOT EXISTS (SELECT FROM etl.rejects r WHERE (r.import_id, r.generation, r.resource, r.line_number) = (s.import_id, s.generation, 'livraisons', s.line_number));

CREATE TABLE final.livraisons (
    delivery_id bigint NOT NULL,
    sale_id bigint NOT NULL,
    client_id bytea NOT NULL,
    client_id_token bytea NOT NULL,
    parcels bigint NOT NULL,
    weight_kg numeric,
    address bytea NOT NULL,
    delivered_on date NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL,
    PRIMARY KEY (delivery_id)
) PARTITION BY RANGE (delivery_id);
CREATE TABLE partitions.target_livraisons_empty PARTITION OF final.livraisons
    FOR VALUES FROM (MINVALUE) TO (MAXVALUE);

-- +goose Down
DROP TABLE final.livraisons;
DROP TABLE staging.livraisons CASCADE;
