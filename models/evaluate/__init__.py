"""How good a checkpoint is: measures that compare over models, with the settings that made them."""
