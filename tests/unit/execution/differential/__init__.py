"""Random schemas, documents and outcomes, run with plans and without: nothing may differ."""
