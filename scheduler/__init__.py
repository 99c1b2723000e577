"""The engine: a pure decision core, and the services, loops and adapters around it."""
