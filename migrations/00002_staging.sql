-- +goose Up
CREATE SCHEMA partitions;
COMMENT ON SCHEMA partitions IS 'The leaves of the partitioned tables, and the detached tables of open imports';

CREATE SCHEMA staging;
COMMENT ON SCHEMA staging IS 'Raw records, protected, as they were read; one list partition an import';

CREATE TABLE staging.clients (
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
    client_id bytea,
    client_id_token bytea,
    first_name bytea,
    last_name bytea,
    email bytea,
    nif bytea,
    nif_token bytea,
    phone bytea,
    birth_date bytea,
    address bytea,
    city text,
    country text,
    created_at text
) PARTITION BY LIST (import_id);
CREATE VIEW staging.clients_ready AS
    SELECT s.* FROM staging.clients s
    JOIN etl.ledger l ON (l.import_id, l.generation, l.phase, l.resource, l.chunk) = (s.import_id, s.generation, 'Validate', 'clients', s.chunk)
    WHERE NOT EXISTS (SELECT FROM etl.rejects r WHERE (r.import_id, r.generation, r.resource, r.line_number) = (s.import_id, s.generation, 'clients', s.line_number));

CREATE TABLE staging.produits (
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
    product_id text,
    product_id_key bigint,
    name text,
    category_id text,
    category_id_key bigint,
    supplier_id text,
    supplier_id_key bigint,
    unit_price text,
    currency text,
    active text
) PARTITION BY LIST (import_id);
CREATE VIEW staging.produits_ready AS
    SELECT s.* FROM staging.produits s
    JOIN etl.ledger l ON (l.import_id, l.generation, l.phase, l.resource, l.chunk) = (s.import_id, s.generation, 'Validate', 'produits', s.chunk)
    WHERE NOT EXISTS (SELECT FROM etl.rejects r WHERE (r.import_id, r.generation, r.resource, r.line_number) = (s.import_id, s.generation, 'produits', s.line_number));

CREATE TABLE staging.categories (
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
    category_id text,
    category_id_key bigint,
    name text,
    parent_category_id text,
    parent_category_id_key bigint
) PARTITION BY LIST (import_id);
CREATE VIEW staging.categories_ready AS
    SELECT s.* FROM staging.categories s
    JOIN etl.ledger l ON (l.import_id, l.generation, l.phase, l.resource, l.chunk) = (s.import_id, s.generation, 'Validate', 'categories', s.chunk)
    WHERE NOT EXISTS (SELECT FROM etl.rejects r WHERE (r.import_id, r.generation, r.resource, r.line_number) = (s.import_id, s.generation, 'categories', s.line_number));

CREATE TABLE staging.ventes (
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
    sale_id text,
    sale_id_key bigint,
    client_id bytea,
    client_id_token bytea,
    product_id text,
    product_id_key bigint,
    store_id text,
    store_id_key bigint,
    quantity text,
    quantity_key bigint,
    unit_price text,
    amount text,
    sale_date text,
    channel text
) PARTITION BY LIST (import_id);
CREATE VIEW staging.ventes_ready AS
    SELECT s.* FROM staging.ventes s
    JOIN etl.ledger l ON (l.import_id, l.generation, l.phase, l.resource, l.chunk) = (s.import_id, s.generation, 'Validate', 'ventes', s.chunk)
    WHERE NOT EXISTS (SELECT FROM etl.rejects r WHERE (r.import_id, r.generation, r.resource, r.line_number) = (s.import_id, s.generation, 'ventes', s.line_number));

CREATE TABLE staging.magasins (
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
    store_id text,
    store_id_key bigint,
    name text,
    city text,
    country text,
    opened_on text
) PARTITION BY LIST (import_id);
CREATE VIEW staging.magasins_ready AS
    SELECT s.* FROM staging.magasins s
    JOIN etl.ledger l ON (l.import_id, l.generation, l.phase, l.resource, l.chunk) = (s.import_id, s.generation, 'Validate', 'magasins', s.chunk)
    WHERE NOT EXISTS (SELECT FROM etl.rejects r WHERE (r.import_id, r.generation, r.resource, r.line_number) = (s.import_id, s.generation, 'magasins', s.line_number));

CREATE TABLE staging.fournisseurs (
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
    supplier_id text,
    supplier_id_key bigint,
    name text,
    contact_email bytea,
    vat_number text
) PARTITION BY LIST (import_id);
CREATE VIEW staging.fournisseurs_ready AS
    SELECT s.* FROM staging.fournisseurs s
    JOIN etl.ledger l ON (l.import_id, l.generation, l.phase, l.resource, l.chunk) = (s.import_id, s.generation, 'Validate', 'fournisseurs', s.chunk)
    WHERE NOT EXISTS (SELECT FROM etl.rejects r WHERE (r.import_id, r.generation, r.resource, r.line_number) = (s.import_id, s.generation, 'fournisseurs', s.line_number));

CREATE TABLE staging.stocks (
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
    product_id text,
    product_id_key bigint,
    store_id text,
    store_id_key bigint,
    quantity text,
    counted_at text
) PARTITION BY LIST (import_id);
CREATE VIEW staging.stocks_ready AS
    SELECT s.* FROM staging.stocks s
    JOIN etl.ledger l ON (l.import_id, l.generation, l.phase, l.resource, l.chunk) = (s.import_id, s.generation, 'Validate', 'stocks', s.chunk)
    WHERE NOT EXISTS (SELECT FROM etl.rejects r WHERE (r.import_id, r.generation, r.resource, r.line_number) = (s.import_id, s.generation, 'stocks', s.line_number));

CREATE TABLE staging.paiements (
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
    payment_id text,
    payment_id_key bigint,
    sale_id text,
    sale_id_key bigint,
    amount text,
    method text,
    iban bytea,
    paid_at text
) PARTITION BY LIST (import_id);
CREATE VIEW staging.paiements_ready AS
    SELECT s.* FROM staging.paiements s
    JOIN etl.ledger l ON (l.import_id, l.generation, l.phase, l.resource, l.chunk) = (s.import_id, s.generation, 'Validate', 'paiements', s.chunk)
    WHERE NOT EXISTS (SELECT FROM etl.rejects r WHERE (r.import_id, r.generation, r.resource, r.line_number) = (s.import_id, s.generation, 'paiements', s.line_number));

CREATE TABLE staging.retours (
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
    return_id text,
    return_id_key bigint,
    sale_id text,
    sale_id_key bigint,
    quantity text,
    quantity_key bigint,
    reason text,
    returned_on text
) PARTITION BY LIST (import_id);
CREATE VIEW staging.retours_ready AS
    SELECT s.* FROM staging.retours s
    JOIN etl.ledger l ON (l.import_id, l.generation, l.phase, l.resource, l.chunk) = (s.import_id, s.generation, 'Validate', 'retours', s.chunk)
    WHERE NOT EXISTS (SELECT FROM etl.rejects r WHERE (r.import_id, r.generation, r.resource, r.line_number) = (s.import_id, s.generation, 'retours', s.line_number));

CREATE TABLE staging.employes (
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
    employee_id bytea,
    employee_id_token bytea,
    first_name bytea,
    last_name bytea,
    email bytea,
    nif bytea,
    nif_token bytea,
    store_id text,
    store_id_key bigint,
    hired_on text,
    left_on text
) PARTITION BY LIST (import_id);
CREATE VIEW staging.employes_ready AS
    SELECT s.* FROM staging.employes s
    JOIN etl.ledger l ON (l.import_id, l.generation, l.phase, l.resource, l.chunk) = (s.import_id, s.generation, 'Validate', 'employes', s.chunk)
    WHERE NOT EXISTS (SELECT FROM etl.rejects r WHERE (r.import_id, r.generation, r.resource, r.line_number) = (s.import_id, s.generation, 'employes', s.line_number));

-- +goose Down
DROP SCHEMA staging CASCADE;
DROP SCHEMA partitions CASCADE;
