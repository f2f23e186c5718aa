
-- rule 1 of clients
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT line_number, (SELECT min(f.line_number) FROM "partitions"."staging_clients_20241009_150000_001_g1" f WHERE f.client_id_token = d.client_id_token) AS first_line FROM (
			SELECT line_number, client_id_token, (client_id_token) = (lag(client_id_token) OVER w) AS again FROM "partitions"."staging_clients_20241009_150000_001_g1" WHERE client_id_token IS NOT NULL WINDOW w AS (ORDER BY client_id_token, line_number)
		) d WHERE again),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 clients client_id primaryKey Validation des données Le champ 'client_id' est en double : la ligne {ligne} porte déjà cette valeur. {ligne}]

-- rule 2 of clients
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT line_number, (SELECT min(f.line_number) FROM "partitions"."staging_clients_20241009_150000_001_g1" f WHERE f.nif_token = d.nif_token) AS first_line FROM (
			SELECT line_number, nif_token, (nif_token) = (lag(nif_token) OVER w) AS again FROM "partitions"."staging_clients_20241009_150000_001_g1" WHERE nif_token IS NOT NULL WINDOW w AS (ORDER BY nif_token, line_number)
		) d WHERE again),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 clients nif unique Validation des données Le champ 'nif' est en double : la ligne {ligne} porte déjà cette valeur. {ligne}]

-- rule 1 of categories
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT line_number, (SELECT min(f.line_number) FROM "partitions"."staging_categories_20241009_150000_001_g1" f WHERE f.category_id_key = d.category_id_key) AS first_line FROM (
			SELECT line_number, category_id_key, (category_id_key) = (lag(category_id_key) OVER w) AS again FROM "partitions"."staging_categories_20241009_150000_001_g1" WHERE category_id_key IS NOT NULL WINDOW w AS (ORDER BY category_id_key, line_number)
		) d WHERE again),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 categories category_id primaryKey Validation des données Le champ 'category_id' est en double : la ligne {ligne} porte déjà cette valeur. {ligne}]

-- rule 2 of categories
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
SET LOCAL work_mem = '16MB'; SET LOCAL hash_mem_multiplier = 2; SET LOCAL jit = off
SELECT etl.create_scratch($1, $2, $3)
-- [categories IMPORT_20241009_150000_001 1]
INSERT INTO "partitions"."links_categories_20241009_150000_001_g1" SELECT c.line_number, p.line_number, r.line_number IS NULL, false
		FROM "partitions"."staging_categories_20241009_150000_001_g1" c LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'categories' AND r.line_number = c.line_number
		LEFT JOIN (SELECT p.* FROM "partitions"."staging_categories_20241009_150000_001_g1" p LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'categories' AND r.line_number = p.line_number WHERE r.line_number IS NULL) p ON p.category_id_key = c.parent_category_id_key
		 WHERE c.parent_category_id_key IS NOT NULL
SELECT etl.index_leaf($1, $2, $3, $4, $5)
-- [links categories IMPORT_20241009_150000_001 1 [parent]]
SELECT etl.analyze_leaf($1, $2, $3, $4, $5)
-- [links categories IMPORT_20241009_150000_001 1 []]
SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_material = off;
		SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_nestloop = on
WITH found AS MATERIALIZED (
		WITH RECURSIVE fallen AS (SELECT node FROM "partitions"."links_categories_20241009_150000_001_g1" WHERE parent IS NULL AND NOT shielded
			UNION ALL SELECT l.node FROM fallen f JOIN "partitions"."links_categories_20241009_150000_001_g1" l ON l.parent = f.node WHERE NOT l.shielded)
		SELECT node AS line_number, NULL::bigint AS first_line FROM fallen),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 categories parent_category_id foreignKey Validation des données Le champ 'parent_category_id' renvoie à un enregistrement de 'categories' inconnu ou rejeté. {ligne}]
SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on; SET LOCAL enable_material = on;
		SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = on; SET LOCAL enable_nestloop = off; INSERT INTO "partitions"."jumps_categories_20241009_150000_001_g1" SELECT node, parent FROM "partitions"."links_categories_20241009_150000_001_g1" WHERE valid AND parent IS NOT NULL
INSERT INTO "partitions"."starts_categories_20241009_150000_001_g1" SELECT node FROM "partitions"."jumps_categories_20241009_150000_001_g1" WHERE node = jump
WITH tossed AS NOT MATERIALIZED (
				SELECT node, jump, hashint8extended(node, 1) > 0 AND hashint8extended(jump, 1) <= 0 AS out FROM "partitions"."jumps_categories_20241009_150000_001_g1" WHERE node <> jump)
			INSERT INTO "partitions"."ahead_categories_20241009_150000_001_g1" SELECT a.node, CASE WHEN b.out THEN b.jump ELSE a.jump END
			FROM tossed a JOIN tossed b ON b.node = a.jump WHERE NOT a.out
SELECT etl.drop_scratch($1, $2, $3)
-- [categories IMPORT_20241009_150000_001 1]

-- rule 1 of fournisseurs
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT line_number, (SELECT min(f.line_number) FROM "partitions"."staging_fournisseurs_20241009_150000_001_g1" f WHERE f.supplier_id_key = d.supplier_id_key) AS first_line FROM (
			SELECT line_number, supplier_id_key, (supplier_id_key) = (lag(supplier_id_key) OVER w) AS again FROM "partitions"."staging_fournisseurs_20241009_150000_001_g1" WHERE supplier_id_key IS NOT NULL WINDOW w AS (ORDER BY supplier_id_key, line_number)
		) d WHERE again),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 fournisseurs supplier_id primaryKey Validation des données Le champ 'supplier_id' est en double : la ligne {ligne} porte déjà cette valeur. {ligne}]

-- rule 1 of produits
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT line_number, (SELECT min(f.line_number) FROM "partitions"."staging_produits_20241009_150000_001_g1" f WHERE f.product_id_key = d.product_id_key) AS first_line FROM (
			SELECT line_number, product_id_key, (product_id_key) = (lag(product_id_key) OVER w) AS again FROM "partitions"."staging_produits_20241009_150000_001_g1" WHERE product_id_key IS NOT NULL WINDOW w AS (ORDER BY product_id_key, line_number)
		) d WHERE again),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 produits product_id primaryKey Validation des données Le champ 'product_id' est en double : la ligne {ligne} porte déjà cette valeur. {ligne}]

-- rule 2 of produits
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT c.line_number, NULL::bigint AS first_line FROM "partitions"."staging_produits_20241009_150000_001_g1" c WHERE c.category_id_key IS NOT NULL AND NOT EXISTS (SELECT FROM "partitions"."staging_categories_20241009_150000_001_g1" p LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'categories' AND r.line_number = p.line_number WHERE p.category_id_key = c.category_id_key AND r.line_number IS NULL)),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 produits category_id foreignKey Validation des données Le champ 'category_id' renvoie à un enregistrement de 'categories' inconnu ou rejeté. {ligne}]

-- rule 3 of produits
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT c.line_number, NULL::bigint AS first_line FROM "partitions"."staging_produits_20241009_150000_001_g1" c WHERE c.supplier_id_key IS NOT NULL AND NOT EXISTS (SELECT FROM "partitions"."staging_fournisseurs_20241009_150000_001_g1" p LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'fournisseurs' AND r.line_number = p.line_number WHERE p.supplier_id_key = c.supplier_id_key AND r.line_number IS NULL)),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 produits supplier_id foreignKey Validation des données Le champ 'supplier_id' renvoie à un enregistrement de 'fournisseurs' inconnu ou rejeté. {ligne}]

-- rule 1 of magasins
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT line_number, (SELECT min(f.line_number) FROM "partitions"."staging_magasins_20241009_150000_001_g1" f WHERE f.store_id_key = d.store_id_key) AS first_line FROM (
			SELECT line_number, store_id_key, (store_id_key) = (lag(store_id_key) OVER w) AS again FROM "partitions"."staging_magasins_20241009_150000_001_g1" WHERE store_id_key IS NOT NULL WINDOW w AS (ORDER BY store_id_key, line_number)
		) d WHERE again),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 magasins store_id primaryKey Validation des données Le champ 'store_id' est en double : la ligne {ligne} porte déjà cette valeur. {ligne}]

-- rule 1 of ventes
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT line_number, (SELECT min(f.line_number) FROM "partitions"."staging_ventes_20241009_150000_001_g1" f WHERE f.sale_id_key = d.sale_id_key) AS first_line FROM (
			SELECT line_number, sale_id_key, (sale_id_key) = (lag(sale_id_key) OVER w) AS again FROM "partitions"."staging_ventes_20241009_150000_001_g1" WHERE sale_id_key IS NOT NULL WINDOW w AS (ORDER BY sale_id_key, line_number)
		) d WHERE again),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 ventes sale_id primaryKey Validation des données Le champ 'sale_id' est en double : la ligne {ligne} porte déjà cette valeur. {ligne}]

-- rule 2 of ventes
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT c.line_number, NULL::bigint AS first_line FROM "partitions"."staging_ventes_20241009_150000_001_g1" c WHERE c.client_id_token IS NOT NULL AND NOT EXISTS (SELECT FROM "partitions"."staging_clients_20241009_150000_001_g1" p LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'clients' AND r.line_number = p.line_number WHERE p.client_id_token = c.client_id_token AND r.line_number IS NULL) AND NOT EXISTS (SELECT FROM final."clients" f WHERE f.client_id_token = c.client_id_token)),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 ventes client_id foreignKey Validation des données Le champ 'client_id' renvoie à un enregistrement de 'clients' inconnu ou rejeté. {ligne}]

-- rule 3 of ventes
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT c.line_number, NULL::bigint AS first_line FROM "partitions"."staging_ventes_20241009_150000_001_g1" c WHERE c.product_id_key IS NOT NULL AND NOT EXISTS (SELECT FROM "partitions"."staging_produits_20241009_150000_001_g1" p LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'produits' AND r.line_number = p.line_number WHERE p.product_id_key = c.product_id_key AND r.line_number IS NULL)),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 ventes product_id foreignKey Validation des données Le champ 'product_id' renvoie à un enregistrement de 'produits' inconnu ou rejeté. {ligne}]

-- rule 4 of ventes
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT c.line_number, NULL::bigint AS first_line FROM "partitions"."staging_ventes_20241009_150000_001_g1" c WHERE c.store_id_key IS NOT NULL AND NOT EXISTS (SELECT FROM "partitions"."staging_magasins_20241009_150000_001_g1" p LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'magasins' AND r.line_number = p.line_number WHERE p.store_id_key = c.store_id_key AND r.line_number IS NULL)),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 ventes store_id foreignKey Validation des données Le champ 'store_id' renvoie à un enregistrement de 'magasins' inconnu ou rejeté. {ligne}]

-- rule 1 of stocks
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT line_number, (SELECT min(f.line_number) FROM "partitions"."staging_stocks_20241009_150000_001_g1" f WHERE f.product_id_key = d.product_id_key AND f.store_id_key = d.store_id_key) AS first_line FROM (
			SELECT line_number, product_id_key, store_id_key, (product_id_key, store_id_key) = (lag(product_id_key) OVER w, lag(store_id_key) OVER w) AS again FROM "partitions"."staging_stocks_20241009_150000_001_g1" WHERE product_id_key IS NOT NULL AND store_id_key IS NOT NULL WINDOW w AS (ORDER BY product_id_key, store_id_key, line_number)
		) d WHERE again),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 stocks product_id, store_id primaryKey Validation des données Les champs 'product_id', 'store_id' sont en double : la ligne {ligne} porte déjà cette valeur. {ligne}]

-- rule 2 of stocks
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT c.line_number, NULL::bigint AS first_line FROM "partitions"."staging_stocks_20241009_150000_001_g1" c WHERE c.product_id_key IS NOT NULL AND NOT EXISTS (SELECT FROM "partitions"."staging_produits_20241009_150000_001_g1" p LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'produits' AND r.line_number = p.line_number WHERE p.product_id_key = c.product_id_key AND r.line_number IS NULL)),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 stocks product_id foreignKey Validation des données Le champ 'product_id' renvoie à un enregistrement de 'produits' inconnu ou rejeté. {ligne}]

-- rule 3 of stocks
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT c.line_number, NULL::bigint AS first_line FROM "partitions"."staging_stocks_20241009_150000_001_g1" c WHERE c.store_id_key IS NOT NULL AND NOT EXISTS (SELECT FROM "partitions"."staging_magasins_20241009_150000_001_g1" p LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'magasins' AND r.line_number = p.line_number WHERE p.store_id_key = c.store_id_key AND r.line_number IS NULL)),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 stocks store_id foreignKey Validation des données Le champ 'store_id' renvoie à un enregistrement de 'magasins' inconnu ou rejeté. {ligne}]

-- rule 1 of paiements
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT line_number, (SELECT min(f.line_number) FROM "partitions"."staging_paiements_20241009_150000_001_g1" f WHERE f.payment_id_key = d.payment_id_key) AS first_line FROM (
			SELECT line_number, payment_id_key, (payment_id_key) = (lag(payment_id_key) OVER w) AS again FROM "partitions"."staging_paiements_20241009_150000_001_g1" WHERE payment_id_key IS NOT NULL WINDOW w AS (ORDER BY payment_id_key, line_number)
		) d WHERE again),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 paiements payment_id primaryKey Validation des données Le champ 'payment_id' est en double : la ligne {ligne} porte déjà cette valeur. {ligne}]

-- rule 2 of paiements
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT c.line_number, NULL::bigint AS first_line FROM "partitions"."staging_paiements_20241009_150000_001_g1" c WHERE c.sale_id_key IS NOT NULL AND NOT EXISTS (SELECT FROM "partitions"."staging_ventes_20241009_150000_001_g1" p LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'ventes' AND r.line_number = p.line_number WHERE p.sale_id_key = c.sale_id_key AND r.line_number IS NULL) AND NOT EXISTS (SELECT FROM final."ventes" f WHERE f.sale_id = c.sale_id_key)),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 paiements sale_id foreignKey Validation des données Le champ 'sale_id' renvoie à un enregistrement de 'ventes' inconnu ou rejeté. {ligne}]

-- rule 1 of retours
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT line_number, (SELECT min(f.line_number) FROM "partitions"."staging_retours_20241009_150000_001_g1" f WHERE f.return_id_key = d.return_id_key) AS first_line FROM (
			SELECT line_number, return_id_key, (return_id_key) = (lag(return_id_key) OVER w) AS again FROM "partitions"."staging_retours_20241009_150000_001_g1" WHERE return_id_key IS NOT NULL WINDOW w AS (ORDER BY return_id_key, line_number)
		) d WHERE again),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 retours return_id primaryKey Validation des données Le champ 'return_id' est en double : la ligne {ligne} porte déjà cette valeur. {ligne}]

-- rule 2 of retours
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT c.line_number, NULL::bigint AS first_line FROM "partitions"."staging_retours_20241009_150000_001_g1" c WHERE c.sale_id_key IS NOT NULL AND NOT EXISTS (SELECT FROM "partitions"."staging_ventes_20241009_150000_001_g1" p LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'ventes' AND r.line_number = p.line_number WHERE p.sale_id_key = c.sale_id_key AND r.line_number IS NULL) AND NOT EXISTS (SELECT FROM final."ventes" f WHERE f.sale_id = c.sale_id_key)),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 retours sale_id foreignKey Validation des données Le champ 'sale_id' renvoie à un enregistrement de 'ventes' inconnu ou rejeté. {ligne}]

-- rule 3 of retours
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT c.line_number, NULL::bigint AS first_line FROM "partitions"."staging_retours_20241009_150000_001_g1" c LEFT JOIN (SELECT p.* FROM "partitions"."staging_ventes_20241009_150000_001_g1" p LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'ventes' AND r.line_number = p.line_number WHERE r.line_number IS NULL) p ON p.sale_id_key = c.sale_id_key LEFT JOIN final."ventes" f ON f.sale_id = c.sale_id_key WHERE NOT (c.quantity_key <= coalesce(p.quantity_key, f.quantity))),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 retours quantity quantity_at_most_sold Validation des données La quantité retournée, avec les autres retours de la vente, dépasse la quantité vendue. {ligne}]

-- rule 4 of retours
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		WITH valid AS (
			SELECT c.line_number, ROW(c.sale_id_key) AS parent, c.quantity_key::numeric - coalesce(own.quantity, 0) AS change, coalesce(p.quantity_key, f.quantity)::numeric AS most, coalesce(others._sum, 0) AS taken
			FROM "partitions"."staging_retours_20241009_150000_001_g1" c LEFT JOIN (SELECT p.* FROM "partitions"."staging_ventes_20241009_150000_001_g1" p LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'ventes' AND r.line_number = p.line_number WHERE r.line_number IS NULL) p ON p.sale_id_key = c.sale_id_key LEFT JOIN final."ventes" f ON f.sale_id = c.sale_id_key
		LEFT JOIN "final"."retours" own ON own.return_id = c.return_id_key AND own.sale_id = c.sale_id_key
		LEFT JOIN (SELECT sale_id, sum(quantity) AS _sum FROM "final"."retours" o WHERE EXISTS (SELECT FROM "partitions"."staging_retours_20241009_150000_001_g1" c WHERE o.sale_id = c.sale_id_key) GROUP BY sale_id) others ON others.sale_id = c.sale_id_key LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'retours' AND r.line_number = c.line_number WHERE r.line_number IS NULL),
		walked AS (SELECT *, etl.taken(taken, change, most) OVER w AS after FROM valid
			WINDOW w AS (PARTITION BY parent ORDER BY line_number ROWS UNBOUNDED PRECEDING)),
		judged AS (SELECT line_number, change, most, coalesce(lag(after) OVER w, taken) AS before FROM walked
			WINDOW w AS (PARTITION BY parent ORDER BY line_number))
		SELECT line_number, NULL::bigint AS first_line FROM judged WHERE before + change > most),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 retours quantity quantity_at_most_sold Validation des données La quantité retournée, avec les autres retours de la vente, dépasse la quantité vendue. {ligne}]

-- rule 1 of employes
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT line_number, (SELECT min(f.line_number) FROM "partitions"."staging_employes_20241009_150000_001_g1" f WHERE f.employee_id_token = d.employee_id_token) AS first_line FROM (
			SELECT line_number, employee_id_token, (employee_id_token) = (lag(employee_id_token) OVER w) AS again FROM "partitions"."staging_employes_20241009_150000_001_g1" WHERE employee_id_token IS NOT NULL WINDOW w AS (ORDER BY employee_id_token, line_number)
		) d WHERE again),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 employes employee_id primaryKey Validation des données Le champ 'employee_id' est en double : la ligne {ligne} porte déjà cette valeur. {ligne}]

-- rule 2 of employes
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT line_number, (SELECT min(f.line_number) FROM "partitions"."staging_employes_20241009_150000_001_g1" f WHERE f.nif_token = d.nif_token) AS first_line FROM (
			SELECT line_number, nif_token, (nif_token) = (lag(nif_token) OVER w) AS again FROM "partitions"."staging_employes_20241009_150000_001_g1" WHERE nif_token IS NOT NULL WINDOW w AS (ORDER BY nif_token, line_number)
		) d WHERE again),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 employes nif unique Validation des données Le champ 'nif' est en double : la ligne {ligne} porte déjà cette valeur. {ligne}]

-- rule 3 of employes
SET LOCAL work_mem = '256MB'; SET LOCAL hash_mem_multiplier = 1; SET LOCAL max_parallel_workers_per_gather = 0
WITH found AS MATERIALIZED (
		SELECT c.line_number, NULL::bigint AS first_line FROM "partitions"."staging_employes_20241009_150000_001_g1" c WHERE c.store_id_key IS NOT NULL AND NOT EXISTS (SELECT FROM "partitions"."staging_magasins_20241009_150000_001_g1" p LEFT JOIN etl.rejects r ON r.import_id = 'IMPORT_20241009_150000_001' AND r.generation = 1 AND r.resource = 'magasins' AND r.line_number = p.line_number WHERE p.store_id_key = c.store_id_key AND r.line_number IS NULL)),
		logged AS (INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step)
			SELECT $1, $2, $3, f.file, line_number, $4, $5, replace($7, $8, coalesce(first_line::text, '')), $6
			FROM found, etl.files f WHERE f.import_id = $1 AND f.generation = $2 AND f.resource = $3)
		INSERT INTO etl.rejects (import_id, generation, resource, line_number)
		SELECT $1, $2, $3, line_number FROM found ON CONFLICT DO NOTHING
-- [IMPORT_20241009_150000_001 1 employes store_id foreignKey Validation des données Le champ 'store_id' renvoie à un enregistrement de 'magasins' inconnu ou rejeté. {ligne}]

-- orphans of produits
WITH missing AS (
			INSERT INTO etl.incoherences (import_id, generation, resource, field, parent, missing_key, row_count)
			SELECT $1, $2, $3, $4, $5, concat_ws(',', c.category_id), count(*) FROM final."produits" c
			WHERE c.category_id IS NOT NULL AND NOT EXISTS (SELECT FROM final."categories" f WHERE f.category_id = c.category_id) GROUP BY c.category_id
			RETURNING row_count)
		SELECT coalesce(sum(row_count), 0)::bigint FROM missing
-- [IMPORT_20241009_150000_001 1 produits category_id categories]

-- orphans of produits
WITH missing AS (
			INSERT INTO etl.incoherences (import_id, generation, resource, field, parent, missing_key, row_count)
			SELECT $1, $2, $3, $4, $5, concat_ws(',', c.supplier_id), count(*) FROM final."produits" c
			WHERE c.supplier_id IS NOT NULL AND NOT EXISTS (SELECT FROM final."fournisseurs" f WHERE f.supplier_id = c.supplier_id) GROUP BY c.supplier_id
			RETURNING row_count)
		SELECT coalesce(sum(row_count), 0)::bigint FROM missing
-- [IMPORT_20241009_150000_001 1 produits supplier_id fournisseurs]

-- orphans of categories
WITH missing AS (
			INSERT INTO etl.incoherences (import_id, generation, resource, field, parent, missing_key, row_count)
			SELECT $1, $2, $3, $4, $5, concat_ws(',', c.parent_category_id), count(*) FROM final."categories" c
			WHERE c.parent_category_id IS NOT NULL AND NOT EXISTS (SELECT FROM final."categories" f WHERE f.category_id = c.parent_category_id) GROUP BY c.parent_category_id
			RETURNING row_count)
		SELECT coalesce(sum(row_count), 0)::bigint FROM missing
-- [IMPORT_20241009_150000_001 1 categories parent_category_id categories]

-- orphans of ventes
WITH missing AS (
			INSERT INTO etl.incoherences (import_id, generation, resource, field, parent, missing_key, row_count)
			SELECT $1, $2, $3, $4, $5, concat_ws(',', c.client_id_token), count(*) FROM final."ventes" c
			WHERE c.client_id_token IS NOT NULL AND NOT EXISTS (SELECT FROM final."clients" f WHERE f.client_id_token = c.client_id_token) GROUP BY c.client_id_token
			RETURNING row_count)
		SELECT coalesce(sum(row_count), 0)::bigint FROM missing
-- [IMPORT_20241009_150000_001 1 ventes client_id clients]

-- orphans of ventes
WITH missing AS (
			INSERT INTO etl.incoherences (import_id, generation, resource, field, parent, missing_key, row_count)
			SELECT $1, $2, $3, $4, $5, concat_ws(',', c.product_id), count(*) FROM final."ventes" c
			WHERE c.product_id IS NOT NULL AND NOT EXISTS (SELECT FROM final."produits" f WHERE f.product_id = c.product_id) GROUP BY c.product_id
			RETURNING row_count)
		SELECT coalesce(sum(row_count), 0)::bigint FROM missing
-- [IMPORT_20241009_150000_001 1 ventes product_id produits]

-- orphans of ventes
WITH missing AS (
			INSERT INTO etl.incoherences (import_id, generation, resource, field, parent, missing_key, row_count)
			SELECT $1, $2, $3, $4, $5, concat_ws(',', c.store_id), count(*) FROM final."ventes" c
			WHERE c.store_id IS NOT NULL AND NOT EXISTS (SELECT FROM final."magasins" f WHERE f.store_id = c.store_id) GROUP BY c.store_id
			RETURNING row_count)
		SELECT coalesce(sum(row_count), 0)::bigint FROM missing
-- [IMPORT_20241009_150000_001 1 ventes store_id magasins]

-- orphans of stocks
WITH missing AS (
			INSERT INTO etl.incoherences (import_id, generation, resource, field, parent, missing_key, row_count)
			SELECT $1, $2, $3, $4, $5, concat_ws(',', c.product_id), count(*) FROM final."stocks" c
			WHERE c.product_id IS NOT NULL AND NOT EXISTS (SELECT FROM final."produits" f WHERE f.product_id = c.product_id) GROUP BY c.product_id
			RETURNING row_count)
		SELECT coalesce(sum(row_count), 0)::bigint FROM missing
-- [IMPORT_20241009_150000_001 1 stocks product_id produits]

-- orphans of stocks
WITH missing AS (
			INSERT INTO etl.incoherences (import_id, generation, resource, field, parent, missing_key, row_count)
			SELECT $1, $2, $3, $4, $5, concat_ws(',', c.store_id), count(*) FROM final."stocks" c
			WHERE c.store_id IS NOT NULL AND NOT EXISTS (SELECT FROM final."magasins" f WHERE f.store_id = c.store_id) GROUP BY c.store_id
			RETURNING row_count)
		SELECT coalesce(sum(row_count), 0)::bigint FROM missing
-- [IMPORT_20241009_150000_001 1 stocks store_id magasins]

-- orphans of paiements
WITH missing AS (
			INSERT INTO etl.incoherences (import_id, generation, resource, field, parent, missing_key, row_count)
			SELECT $1, $2, $3, $4, $5, concat_ws(',', c.sale_id), count(*) FROM final."paiements" c
			WHERE c.sale_id IS NOT NULL AND NOT EXISTS (SELECT FROM final."ventes" f WHERE f.sale_id = c.sale_id) GROUP BY c.sale_id
			RETURNING row_count)
		SELECT coalesce(sum(row_count), 0)::bigint FROM missing
-- [IMPORT_20241009_150000_001 1 paiements sale_id ventes]

-- orphans of retours
WITH missing AS (
			INSERT INTO etl.incoherences (import_id, generation, resource, field, parent, missing_key, row_count)
			SELECT $1, $2, $3, $4, $5, concat_ws(',', c.sale_id), count(*) FROM final."retours" c
			WHERE c.sale_id IS NOT NULL AND NOT EXISTS (SELECT FROM final."ventes" f WHERE f.sale_id = c.sale_id) GROUP BY c.sale_id
			RETURNING row_count)
		SELECT coalesce(sum(row_count), 0)::bigint FROM missing
-- [IMPORT_20241009_150000_001 1 retours sale_id ventes]

-- orphans of employes
WITH missing AS (
			INSERT INTO etl.incoherences (import_id, generation, resource, field, parent, missing_key, row_count)
			SELECT $1, $2, $3, $4, $5, concat_ws(',', c.store_id), count(*) FROM final."employes" c
			WHERE c.store_id IS NOT NULL AND NOT EXISTS (SELECT FROM final."magasins" f WHERE f.store_id = c.store_id) GROUP BY c.store_id
			RETURNING row_count)
		SELECT coalesce(sum(row_count), 0)::bigint FROM missing
-- [IMPORT_20241009_150000_001 1 employes store_id magasins]
