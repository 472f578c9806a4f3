"""The pages on which people sign in, look after their tokens and password, and say who may see what is theirs."""
