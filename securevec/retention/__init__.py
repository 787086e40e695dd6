"""How long data is kept, and what is left to show when it is deleted: rules, the deletion job, probes, receipts."""
