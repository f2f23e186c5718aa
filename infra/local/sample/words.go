package main

// word is a name as it is shown, and in the letters of an e-mail address.
type word struct{ shown, plain string }

// firstNames start with the frequent ones. Some are written with combining
// marks instead of composed letters, as some keyboards and systems do.
func firstNames() []word {
	return []word{
		{"Marie", "marie"},
		{"Jean", "jean"},
		{"Nathalie", "nathalie"},
		{"Michel", "michel"},
		{"Zoé", "zoe"},
		{"François", "francois"},
		{"Amélie", "amelie"},
		{"Émile", "emile"},
		{"Cle\u0301ment", "clement"},
		{"Noël", "noel"},
		{"Léa", "lea"},
		{"Jean Pierre", "jeanpierre"},
		{"Théo", "theo"},
		{"Chloé", "chloe"},
		{"Hélène", "helene"},
		{"Anaïs", "anais"},
		{"Loïc", "loic"},
		{"Gaëlle", "gaelle"},
		{"Maël", "mael"},
		{"Inès", "ines"},
		{"Ame\u0301lie Rose", "amelierose"},
		{"Joël", "joel"},
		{"Aurélie", "aurelie"},
		{"Rémi", "remi"},
		{"Anne Sophie", "annesophie"},
		{"Mohammed", "mohammed"},
		{"Fatima Zohra", "fatimazohra"},
		{"Yasmine", "yasmine"},
		{"Nguyệt", "nguyet"},
		{"Łukasz", "lukasz"},
		{"Jürgen", "jurgen"},
		{"Søren", "soren"},
		{"Žofia", "zofia"},
		{"Мария", "maria"},
		{"Ελένη", "eleni"},
		{"Öykü", "oyku"},
		{"Françoise Élisabeth Marie Thérèse", "francoise"},
		{"O", "o"},
		{"Ç\u0327etin", "cetin"},
		{"李", "li"},
	}
}

// lastNames start with the frequent ones.
func lastNames() []word {
	return []word{
		{"Martin", "martin"},
		{"Bernard", "bernard"},
		{"Dubois", "dubois"},
		{"Lefèvre", "lefevre"},
		{"Moreau", "moreau"},
		{"Le Goff", "legoff"},
		{"Garçon", "garcon"},
		{"Périer", "perier"},
		{"De La Tour", "delatour"},
		{"Gue\u0301rin", "guerin"},
		{"Besançon", "besancon"},
		{"Maçon", "macon"},
		{"Crête", "crete"},
		{"Hervé", "herve"},
		{"Benoît", "benoit"},
		{"Prévost", "prevost"},
		{"Bénard", "benard"},
		{"Saint Exupéry", "saintexupery"},
		{"Nuñez", "nunez"},
		{"Müller", "muller"},
		{"Ben Youssef", "benyoussef"},
		{"Diallo", "diallo"},
		{"Nguyễn", "nguyen"},
		{"Kowalczyk", "kowalczyk"},
		{"Strauß", "strauss"},
		{"Ó Súilleabháin", "osuilleabhain"},
		{"Þórsdóttir", "thorsdottir"},
		{"Ivanova", "ivanova"},
		{"Vœux", "voeux"},
		{"Lʼ", "l"},
		{"Ye", "ye"},
		{"Papadópoulos", "papadopoulos"},
	}
}

// place is a city with its country and the head of its telephone numbers.
type place struct{ city, country, dial string }

// places start with the frequent ones: four clients in five live in France.
func places() []place {
	return []place{
		{"Paris", "FR", "+336"},
		{"Lyon", "FR", "+337"},
		{"Marseille", "FR", "+336"},
		{"Toulouse", "FR", "+336"},
		{"Nîmes", "FR", "+336"},
		{"Saint-Étienne", "FR", "+336"},
		{"Besançon", "FR", "+337"},
		{"L'Haÿ-les-Roses", "FR", "+331"},
		{"Orléans", "FR", "+332"},
		{"Béziers", "FR", "+334"},
		{"Angoulême", "FR", "+335"},
		{"Le Puy-en-Velay", "FR", "+334"},
		{"Bruxelles", "BE", "+322"},
		{"Liège", "BE", "+324"},
		{"Genève", "CH", "+4122"},
		{"Luxembourg", "LU", "+352"},
		{"Montréal", "CA", "+1514"},
		{"Köln", "DE", "+49221"},
		{"A Coruña", "ES", "+34981"},
		{"Łódź", "PL", "+4842"},
		{"Saint-Denis, La Réunion", "RE", "+262"},
		{"Nouméa", "NC", "+687"},
		{"São Paulo", "BR", "+5511"},
		{"東京", "JP", "+813"},
	}
}

func streets() []string {
	return []string{
		"rue de la République", "avenue du Général-de-Gaulle", "place de l'Église", "boulevard Voltaire",
		"rue des Écoles", "chemin du Moulin", "allée des Tilleuls", "impasse des Mûriers", "quai de la Fosse",
		"rue du Faubourg-Saint-Honoré", "montée de la Grande-Côte", "route d'Aix",
	}
}

func goods() []string {
	return []string{
		"Théière émaillée", "Chaise pliante", "Lampe de chevet", "Câble réseau", "Écharpe en laine", "Poêle à crêpes",
		"Café moulu", "Cahier à spirale", "Ampoule", "Vélo d'appartement", "Crème solaire", "Clé à molette", "Œuf à thé",
		"Fût de chêne", "Pâte à modeler", "Aiguille à coudre",
	}
}

func looks() []string {
	return []string{
		"bleu nuit", `"Grand Large"`, "1,5 L", "100 % coton", "édition limitée", "lot de 12", "très grand", "n° 7", "½ sel", "rouge & noir",
	}
}

func aisles() []string {
	return []string{
		"Maison", "Épicerie", "Jardin, terrasse", "Bébé & puériculture", "Hi-fi", "Librairie", "Été", "Outillage", "Beauté", "Sport",
	}
}

func firms() []string {
	return []string{
		"Établissements Fournier & Fils, S.A.R.L.", "Comptoir du Rhône", "Société Générale d'Émaillage", `Groupe "Horizon"`,
		"Ateliers Bézier", "Import-Export Atlantique", "Müller GmbH", "Coopérative laitière de l'Ouest",
	}
}

func mailHosts() []string {
	return []string{
		"courriel.example", "exemple.fr", "mail.example.com", "poste.exemple.org", "xn--bcher-kva.example", "a-b.c-d.example.net",
	}
}
