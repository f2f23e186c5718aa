package message

// BadControlExtension is why the name of a control file is refused.
const BadControlExtension = "Le fichier de contrôle doit s'appeler « control_<AAAAMMJJ>.json »."
