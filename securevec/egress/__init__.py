"""What may be handed to a model: the home's list of models, and the check that every call of one passes."""
