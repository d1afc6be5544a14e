"""Human judgement: who wins the members' votes, how sure that is, and whether the place on the ballot decides."""
