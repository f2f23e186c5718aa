-- The stand-in for the external database that enriches stores: the places of
-- infra/local/sample, all but Nouméa, which it does not know. The figures are rounded and
-- of no year; two of them it has not.
CREATE SCHEMA IF NOT EXISTS stores;
CREATE TABLE IF NOT EXISTS stores.places (
  city text NOT NULL, country text NOT NULL, population bigint, region text, latitude double precision, longitude double precision,
  PRIMARY KEY (city, country)
);
INSERT INTO stores.places VALUES
  ('Paris', 'FR', 2102650, 'Île-de-France', 48.8566, 2.3522),
  ('Lyon', 'FR', 520774, 'Auvergne-Rhône-Alpes', 45.764, 4.8357),
  ('Marseille', 'FR', 877215, 'Provence-Alpes-Côte d''Azur', 43.2965, 5.3698),
  ('Toulouse', 'FR', 511684, 'Occitanie', 43.6047, 1.4442),
  ('Nîmes', 'FR', 149069, 'Occitanie', 43.8367, 4.3601),
  ('Saint-Étienne', 'FR', 173136, 'Auvergne-Rhône-Alpes', 45.4397, 4.3872),
  ('Besançon', 'FR', 119198, 'Bourgogne-Franche-Comté', 47.2378, 6.0241),
  ('L''Haÿ-les-Roses', 'FR', 31189, 'Île-de-France', 48.7808, 2.3367),
  ('Orléans', 'FR', 117026, 'Centre-Val de Loire', 47.9029, 1.9093),
  ('Béziers', 'FR', 80341, 'Occitanie', 43.3442, 3.2158),
  ('Angoulême', 'FR', 41423, 'Nouvelle-Aquitaine', 45.6484, 0.1562),
  ('Le Puy-en-Velay', 'FR', NULL, 'Auvergne-Rhône-Alpes', 45.0433, 3.8853),
  ('Bruxelles', 'BE', 188737, 'Bruxelles-Capitale', 50.8467, 4.3525),
  ('Liège', 'BE', 195346, 'Wallonie', 50.6326, 5.5797),
  ('Genève', 'CH', 203840, 'Genève', 46.2044, 6.1432),
  ('Luxembourg', 'LU', 134697, NULL, 49.6116, 6.1319),
  ('Montréal', 'CA', 1762949, 'Québec', 45.5019, -73.5674),
  ('Köln', 'DE', 1087353, 'Nordrhein-Westfalen', 50.9375, 6.9603),
  ('A Coruña', 'ES', 246146, 'Galicia', 43.3623, -8.4115),
  ('Łódź', 'PL', 655279, 'Województwo łódzkie', 51.7592, 19.456),
  ('Saint-Denis, La Réunion', 'RE', 153810, 'La Réunion', -20.8789, 55.4481),
  ('São Paulo', 'BR', 11451245, 'São Paulo', -23.5505, -46.6333),
  ('東京', 'JP', 14047594, '関東', 35.6762, 139.6503)
ON CONFLICT DO NOTHING;
