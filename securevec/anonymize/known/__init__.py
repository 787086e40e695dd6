"""What a tenant has met before: words and parts of names in a query, and what stands in for them."""
