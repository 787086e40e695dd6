"""How long data is kept: rules, plans, legal holds, and the job that applies a plan."""
