"""The stock way: Strawberry's own view and types, querysets of Tortoise, a dataloader for each relation."""
