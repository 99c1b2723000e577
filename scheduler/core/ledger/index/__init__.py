"""How the ledger finds room without looking at nodes: alike nodes by what they have left, and sums per domain."""
