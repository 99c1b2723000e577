"""Why a gang has no place: in short for every decision, in full for whoever asks."""
