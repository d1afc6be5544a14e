"""What a host may take out of the database: votes for the evaluation, stories for training or a backup."""
