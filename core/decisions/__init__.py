"""Which setting to take: a rule, what it allows, what it recommends, and the decisions that were saved."""
