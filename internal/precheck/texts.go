package precheck

import "etl-dataloader/internal/message"

// TwoDates refuses files of two dates.
func TwoDates(first, second string) string {
	return "Les fichiers sont de dates différentes : " + message.Name(first) + " et " + message.Name(second) + ". Contrôlez une date à la fois."
}

// TwoFiles says that a folder holds two files of one type.
func TwoFiles(first, second string) string {
	return "Deux fichiers pour le même type et la même date : " + message.Name(first) + " et " + message.Name(second) + ". N'en gardez qu'un."
}
