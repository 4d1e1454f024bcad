"""Who is calling: a credential to a user and a pin."""
