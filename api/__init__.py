"""The REST service: HTTP in, services and ports behind it. No SQL, no cluster and no decision lives here."""
