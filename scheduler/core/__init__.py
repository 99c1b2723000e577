"""The pure decision core: no IO, clock, random, environment or log lives here."""
