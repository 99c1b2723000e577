"""Who is next, and may they: order and quota. Where a group runs lives in placement."""
