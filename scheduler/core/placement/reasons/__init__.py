"""Why a gang has no place, for whoever asks and for who is refused."""
