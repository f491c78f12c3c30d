"""What a user does with a trained model: one function per task over a loaded `Session`."""
