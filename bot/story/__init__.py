"""What a story is: plain values and pure functions. No discord, SQL, HTTP, clock or randomness of its own."""
