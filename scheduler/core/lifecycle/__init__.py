"""The life of a group as one total table: every state times every event says next, ignored or illegal."""
