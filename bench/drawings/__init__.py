"""What each platform makes of our answers, drawn as HTML close to its own look, so that a person can judge them."""
