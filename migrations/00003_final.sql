-- +goose Up
CREATE SCHEMA final;
COMMENT ON SCHEMA final IS 'What readers use: the target tables and the events, complete imports only';

-- Each target is partitioned by range over its key with a single partition, so
-- that an initial import swaps the whole content in under a stable name, with
-- its grants and the views over it.

CREATE TABLE final.clients (
    client_id bytea NOT NULL,
    client_id_token bytea NOT NULL,
    first_name bytea NOT NULL,
    last_name bytea NOT NULL,
    email bytea NOT NULL,
    nif bytea NOT NULL,
    nif_token bytea NOT NULL,
    phone bytea,
    birth_date bytea,
    address bytea,
    city text NOT NULL,
    country text NOT NULL,
    created_at timestamptz NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL,
    PRIMARY KEY (client_id_token)
) PARTITION BY RANGE (client_id_token);
CREATE TABLE partitions.target_clients_empty PARTITION OF final.clients
    FOR VALUES FROM (MINVALUE) TO (MAXVALUE);

CREATE TABLE final.produits (
    product_id bigint NOT NULL,
    name text NOT NULL,
    category_id bigint NOT NULL,
    supplier_id bigint NOT NULL,
    unit_price numeric NOT NULL,
    currency text NOT NULL,
    active boolean NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL,
    PRIMARY KEY (product_id)
) PARTITION BY RANGE (product_id);
CREATE TABLE partitions.target_produits_empty PARTITION OF final.produits
    FOR VALUES FROM (MINVALUE) TO (MAXVALUE);

CREATE TABLE final.categories (
    category_id bigint NOT NULL,
    name text NOT NULL,
    parent_category_id bigint,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL,
    PRIMARY KEY (category_id)
) PARTITION BY RANGE (category_id);
CREATE TABLE partitions.target_categories_empty PARTITION OF final.categories
    FOR VALUES FROM (MINVALUE) TO (MAXVALUE);

CREATE TABLE final.ventes (
    sale_id bigint NOT NULL,
    client_id bytea NOT NULL,
    client_id_token bytea NOT NULL,
    product_id bigint NOT NULL,
    store_id bigint NOT NULL,
    quantity bigint NOT NULL,
    unit_price numeric NOT NULL,
    sale_amount numeric NOT NULL,
    sale_date date NOT NULL,
    channel text NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL,
    PRIMARY KEY (sale_id)
) PARTITION BY RANGE (sale_id);
CREATE TABLE partitions.target_ventes_empty PARTITION OF final.ventes
    FOR VALUES FROM (MINVALUE) TO (MAXVALUE);

CREATE TABLE final.magasins (
    store_id bigint NOT NULL,
    name text NOT NULL,
    city text NOT NULL,
    country text NOT NULL,
    opened_on date NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL,
    PRIMARY KEY (store_id)
) PARTITION BY RANGE (store_id);
CREATE TABLE partitions.target_magasins_empty PARTITION OF final.magasins
    FOR VALUES FROM (MINVALUE) TO (MAXVALUE);

CREATE TABLE final.fournisseurs (
    supplier_id bigint NOT NULL,
    name text NOT NULL,
    contact_email bytea NOT NULL,
    vat_number text,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL,
    PRIMARY KEY (supplier_id)
) PARTITION BY RANGE (supplier_id);
CREATE TABLE partitions.target_fournisseurs_empty PARTITION OF final.fournisseurs
    FOR VALUES FROM (MINVALUE) TO (MAXVALUE);

CREATE TABLE final.stocks (
    product_id bigint NOT NULL,
    store_id bigint NOT NULL,
    quantity bigint NOT NULL,
    counted_at timestamptz NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL,
    PRIMARY KEY (product_id, store_id)
) PARTITION BY RANGE (product_id, store_id);
CREATE TABLE partitions.target_stocks_empty PARTITION OF final.stocks
    FOR VALUES FROM (MINVALUE, MINVALUE) TO (MAXVALUE, MAXVALUE);

CREATE TABLE final.paiements (
    payment_id bigint NOT NULL,
    sale_id bigint NOT NULL,
    amount numeric NOT NULL,
    method text NOT NULL,
    iban bytea,
    paid_at timestamptz NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL,
    PRIMARY KEY (payment_id)
) PARTITION BY RANGE (payment_id);
CREATE TABLE partitions.target_paiements_empty PARTITION OF final.paiements
    FOR VALUES FROM (MINVALUE) TO (MAXVALUE);

CREATE TABLE final.retours (
    return_id bigint NOT NULL,
    sale_id bigint NOT NULL,
    quantity bigint NOT NULL,
    reason text NOT NULL,
    returned_on date NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL,
    PRIMARY KEY (return_id)
) PARTITION BY RANGE (return_id);
CREATE TABLE partitions.target_retours_empty PARTITION OF final.retours
    FOR VALUES FROM (MINVALUE) TO (MAXVALUE);

CREATE TABLE final.employes (
    employee_id bytea NOT NULL,
    employee_id_token bytea NOT NULL,
    first_name bytea NOT NULL,
    last_name bytea NOT NULL,
    email bytea NOT NULL,
    nif bytea NOT NULL,
    nif_token bytea NOT NULL,
    store_id bigint NOT NULL,
    hired_on date NOT NULL,
    left_on date,
    import_id text NOT NULL,
    generation integer NOT NULL,
    file_date date NOT NULL,
    line_number bigint NOT NULL,
    PRIMARY KEY (employee_id_token)
) PARTITION BY RANGE (employee_id_token);
CREATE TABLE partitions.target_employes_empty PARTITION OF final.employes
    FOR VALUES FROM (MINVALUE) TO (MAXVALUE);

CREATE TABLE final.events (
    event_id uuid NOT NULL,
    "timestamp" timestamptz NOT NULL,
    event_type text NOT NULL,
    import_id text NOT NULL,
    generation integer NOT NULL,
    resource text NOT NULL,
    file_date date NOT NULL,
    file text NOT NULL,
    chunk integer NOT NULL,
    line_number bigint NOT NULL,
    client_id bytea,
    client_id_token bytea,
    enrichment text CHECK (enrichment IN ('ok', 'not_found', 'failed')),
    data json NOT NULL,
    PRIMARY KEY (import_id, event_id)
) PARTITION BY LIST (import_id);
COMMENT ON COLUMN final.events.enrichment IS 'NULL where no enrichment is configured';

-- +goose Down
DROP SCHEMA final CASCADE;
