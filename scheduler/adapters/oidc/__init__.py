"""OpenID Connect: the issuer behind an organisation's login."""
