"""What members see: commands, buttons, ballots, deadlines. The only package that knows Discord."""
